"""What is remembered of how it went."""

import pytest

from stoker.core.plan.snapshot import Contest
from stoker.kube.memory import CONTEST_SECONDS, Memory

REPLICA_SET = ("ReplicaSet", "llama")


def test_what_was_put_back_and_undone_is_contested_by_the_one_who_did_it() -> None:
    memory = Memory()
    assert not memory.undone_again(*REPLICA_SET, "2", 0.0)
    memory.was_put_back(*REPLICA_SET, "2", "somebody", 0.0)
    assert memory.undone_again(*REPLICA_SET, "2", 1.0)
    assert memory.contests == (Contest(*REPLICA_SET, "somebody"),)


def test_a_write_that_was_not_made_is_nothing_that_could_be_undone() -> None:
    memory = Memory()
    assert not memory.undone_again(*REPLICA_SET, "2", 0.0)
    assert not memory.undone_again(*REPLICA_SET, "2", 1.0)
    assert memory.contests == ()


def test_another_goal_is_no_contest() -> None:
    memory = Memory()
    memory.was_put_back(*REPLICA_SET, "2", "somebody", 0.0)
    assert not memory.undone_again(*REPLICA_SET, "3", 1.0)


@pytest.mark.parametrize(("generation", "seconds"), [(2, 2.0), (1, 3.0 + CONTEST_SECONDS)])
def test_a_new_spec_or_an_hour_forgets_the_contest(generation: int, seconds: float) -> None:
    memory = Memory()
    memory.at(1, 0.0)
    memory.was_put_back(*REPLICA_SET, "2", "somebody", 1.0)
    assert memory.undone_again(*REPLICA_SET, "2", 1.0)
    memory.at(generation, seconds)
    assert memory.contests == ()
    assert not memory.undone_again(*REPLICA_SET, "2", seconds)


def test_what_was_written_last_is_known_until_something_else_is_written() -> None:
    memory = Memory()
    assert not memory.wrote("Service", "llama", "a")
    memory.was_written("Service", "llama", "a")
    assert memory.wrote("Service", "llama", "a")
    memory.was_written("Service", "llama", "b")
    assert not memory.wrote("Service", "llama", "a")
