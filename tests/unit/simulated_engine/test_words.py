"""Answers without a model."""

from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.simulated.words import Words, in_tokens, seed_of, text_of, tokens_in, until_stop


def words(seed: int = 1, tokens: int = 50) -> Words:
    return Words(seed, tokens, "length")


def test_the_same_seed_gives_the_same_text_and_another_one_another() -> None:
    assert text_of(words(1), 50) == text_of(words(1), 50) != text_of(words(2), 50)


def test_a_token_is_a_word() -> None:
    assert len(text_of(words(), 50).split(" ")) == 50


def test_parts_of_a_seed_do_not_run_together() -> None:
    assert seed_of("ab", "c") != seed_of("a", "bc")


def test_half_a_character_is_text_too() -> None:
    assert tokens_in("\ud800") == 1
    assert seed_of("\ud800")


@given(seed=st.integers(0, 1000), start=st.integers(0, 200), length=st.integers(1, 20))
def test_a_stop_string_ends_the_text_before_it(seed: int, start: int, length: int) -> None:
    whole = text_of(words(seed), 50)
    stop = whole[start : start + length] or whole[:1]
    cut = until_stop(words(seed), [stop])
    assert text_of(cut, cut.tokens) == whole[: whole.find(stop)]
    assert (cut.reason, cut.stop_reason) == ("stop", stop)
    # The tokens of the stop string were generated all the same.
    assert len(text_of(words(seed), cut.tokens)) >= whole.find(stop) + len(stop)


def test_of_several_stop_strings_the_first_to_be_complete_counts() -> None:
    whole = text_of(words(), 50)
    early, late = whole[20:24], whole[100:110]
    assert until_stop(words(), [late, early]).stop_reason == early


def test_a_stop_string_that_never_comes_changes_nothing() -> None:
    assert until_stop(words(), ["\n\n"]) == words()


def test_a_known_text_ends_where_the_limit_is() -> None:
    assert in_tokens("12345678", 9).reason == "stop"
    cut = in_tokens("12345678", 1)
    assert (text_of(cut, 1), cut.reason) == ("1234", "length")
