"""One is one, and several are several."""

from stoker.core.counted import counted, listed, share, verb


def test_one_has_a_noun_and_a_verb_of_its_own() -> None:
    assert [counted(number, "replica", "waits", "wait") for number in (0, 1, 2)] == [
        "0 replicas wait",
        "1 replica waits",
        "2 replicas wait",
    ]
    assert counted(1200, "request") == "1,200 requests"
    assert verb(1, "is", "are") == "is"


def test_the_whole_has_the_noun_and_the_part_the_verb() -> None:
    assert share(1, 1, "replica", "takes", "take") == "1 of 1 replica takes"
    assert share(1, 2, "replica", "takes", "take") == "1 of 2 replicas takes"
    assert share(2, 2, "replica", "takes", "take") == "2 of 2 replicas take"
    assert share(0, 1, "model") == "0 of 1 model"


def test_a_few_names_are_all_told_and_of_many_how_many_more_there_are() -> None:
    assert [listed("abcdefg"[:count]) for count in (1, 3, 7)] == ["a", "a, b, c", "a, b, c and 4 more"]
