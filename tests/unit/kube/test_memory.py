"""What is held against other writers, and what is not."""

from stoker.kube.memory import Memory


def test_what_was_undone_is_put_back_once() -> None:
    memory = Memory()
    assert memory.may_put_back("ReplicaSet", "llama", "2", "somebody", 0.0)
    assert not memory.may_put_back("ReplicaSet", "llama", "2", "somebody", 1.0)
    assert [contest.manager for contest in memory.contests] == ["somebody"]


def test_a_write_that_met_a_newer_version_was_undone_by_nobody() -> None:
    memory = Memory()
    assert memory.may_put_back("ReplicaSet", "llama", "2", "somebody", 0.0)
    memory.was_not_put_back("ReplicaSet", "llama")
    assert memory.may_put_back("ReplicaSet", "llama", "2", "somebody", 1.0)
    assert memory.contests == ()
