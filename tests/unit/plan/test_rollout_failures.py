"""What counts as a failure of a new revision, and what does not."""

from datetime import timedelta
from typing import Any

import pytest

from stoker.core.plan.replicas import by_revision
from stoker.core.plan.rollout.failure import Failure, failure_of
from tests.unit.plan.builders import NOW, container, deployment, ended, pod, replica_set, snapshot

OWNER = replica_set("aaaaaaaaaa", 2)
LONG_AGO = NOW - timedelta(seconds=1800)
JUST_NOW = NOW - timedelta(seconds=1799)


def judged(*pods: dict[str, Any]) -> Failure | None:
    """Replicas of one revision, each not ready where its changes do not say otherwise."""
    made = tuple(pod(f"llama-{index}", OWNER, **({"ready": False} | changes)) for index, changes in enumerate(pods))
    world = snapshot(deployment(2), replica_sets=(OWNER,), pods=made)
    return failure_of(world, by_revision(world)["aaaaaaaaaa"])


def after(restarts: int, exit_code: int = 2, waiting_reason: str = "") -> dict[str, Any]:
    said = "error: unrecognized arguments: --fast"
    return {"containers": (ended(exit_code, "Error", said, restarts, waiting_reason=waiting_reason),)}


@pytest.mark.parametrize(
    "pods",
    [
        [after(2)],
        [after(1), after(1)],
        [after(1, waiting_reason="CrashLoopBackOff")],
        [after(2) | {"ready": True}],
    ],
    ids=["twice", "two of them once", "waits for its third start", "ready in between"],
)
def test_two_ends_of_the_engine_are_a_failure(pods: list[dict[str, Any]]) -> None:
    found = judged(*pods)
    assert found
    assert found.reason == "CrashLoop"


@pytest.mark.parametrize(
    "pods",
    [
        [after(1)],
        [after(9, exit_code=73)],
        [{"containers": (container(name="agent", restarts=5),)}],
        [{"placed_since": JUST_NOW, "unready_since": LONG_AGO}],
        [{"placed_since": LONG_AGO, "unready_since": JUST_NOW}],
        [{"placed_since": LONG_AGO, "unready_since": LONG_AGO, "ready": True}],
        [{"node": "", "unschedulable": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}],
        [{}],
    ],
    ids=[
        "one end",
        "the GPU's own fault",
        "another container",
        "still loading",
        "was ready a moment ago",
        "ready",
        "waits for a node",
        "nobody tells since when",
    ],
)
def test_this_is_none(pods: list[dict[str, Any]]) -> None:
    assert judged(*pods) is None


def test_a_replica_that_had_its_node_for_the_deadline_is_a_failure_and_says_what_is_known() -> None:
    pulls = container(started=False, waiting_reason="ImagePullBackOff", waiting_message="Back-off pulling image")
    found = judged({"placed_since": LONG_AGO, "unready_since": LONG_AGO, "containers": (pulls,)})
    assert found
    assert found.reason == "LoadDeadlineExceeded"
    assert "1800 s" in found.message
    assert "ImagePullFailed" in found.message
