"""What is remembered of how it went."""

import pytest

from stoker.api.v1alpha1.status import Status
from stoker.core.names import ANOTHER_STOKER
from stoker.core.plan.snapshot import Contest
from stoker.kube.memory import ABSENT_SECONDS, CONTEST_SECONDS, Memory

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


def test_what_is_removed_again_is_made_again_but_not_at_once() -> None:
    memory = Memory()
    assert not memory.removed_again("Service", "llama", "a", 0.0)
    memory.was_put_back("Service", "llama", "a", "somebody", 0.0)
    assert memory.removed_again("Service", "llama", "a", ABSENT_SECONDS - 1)
    assert not memory.removed_again("Service", "llama", "a", ABSENT_SECONDS + 1)
    assert memory.contests == (Contest("Service", "llama", "somebody"),)


def test_a_count_that_this_process_did_not_write_is_anothers_unless_its_own_answer_got_lost() -> None:
    memory = Memory()
    assert not memory.count_is_anothers("llama-1", 3)
    memory.count_was_written("llama-1", 3)
    assert not memory.count_is_anothers("llama-1", 3)
    assert memory.count_is_anothers("llama-1", 5)
    memory.count_was_written("llama-1", None)
    assert not memory.count_is_anothers("llama-1", 5)


def test_a_status_that_is_overwritten_twice_is_contested_and_one_of_its_own_is_not() -> None:
    memory, own, anothers = Memory(), Status(observed_generation=1), Status(observed_generation=2)
    contested = []
    for seen in (own, own, anothers, anothers):
        memory.status_was_written(own)
        memory.status_was_seen("llama", seen, 1.0)
        contested.append(memory.status_is_contested)
    assert contested == [False, False, False, True], "a person may do it once"
    assert memory.contests == (Contest("Status", "llama", ANOTHER_STOKER),)


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
