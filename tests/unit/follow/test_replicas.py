"""Pods, as scaling sees them."""

from datetime import timedelta
from typing import Any

import pytest

from stoker.core.follow.replicas import Moment, StageBook, replicas_of, stage_of
from stoker.core.scaling.observation import Load, Reading, Replica, Stage
from tests.unit.follow.builders import NOW, SECONDS, load
from tests.unit.plan.builders import container, pod, replica_set

OWNER = replica_set("r", 1)
MOMENT = Moment(NOW, SECONDS)


def seen(*pods: Any, book: StageBook | None = None, moment: Moment = MOMENT) -> list[Replica]:
    def look(_: str) -> tuple[Reading, Load | None]:
        return Reading.KNOWN, load()

    return list(replicas_of(pods, moment, book or StageBook(), {"gpu-1": "L40S"}, look))


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"ready": True, "node": "n"}, Stage.READY),
        ({"ready": False, "node": ""}, Stage.QUEUED),
        ({"ready": False, "node": "", "unschedulable": "0/3 nodes"}, Stage.PROVISIONING),
        ({"ready": False, "node": "n", "containers": ()}, Stage.PULLING),
        (
            {
                "ready": False,
                "node": "n",
                "containers": (container(started=False, waiting_reason="ContainerCreating"),),
            },
            Stage.PULLING,
        ),
        ({"ready": False, "node": "n", "containers": (container(started=False),)}, Stage.LOADING),
    ],
)
def test_a_pod_is_in_one_stage_between_its_order_and_its_first_token(changes: dict[str, Any], stage: Stage) -> None:
    assert stage_of(pod("p", OWNER, **changes)) is stage


def test_what_is_deleted_finished_or_in_no_tier_is_no_replica() -> None:
    gone = [pod("a", OWNER, deleting=True), pod("b", OWNER, phase="Failed"), pod("worker", OWNER, tier="")]
    assert seen(*gone) == []


def test_a_pod_that_is_not_ready_has_no_load_whatever_was_heard() -> None:
    (found,) = seen(pod("p", OWNER, ready=False))
    assert (found.reading, found.load) == (Reading.UNKNOWN, None)


def test_the_product_is_that_of_its_node_and_empty_where_nobody_knows() -> None:
    known, unknown = seen(pod("p", OWNER, node="gpu-1"), pod("q", OWNER, node="gpu-2"))
    assert (known.product, unknown.product) == ("L40S", "")


def test_a_stage_begins_when_it_is_first_seen_and_the_first_one_with_the_pod() -> None:
    book = StageBook()
    starting = pod("p", OWNER, ready=False, node="", created=NOW - timedelta(seconds=40))
    (first,) = seen(starting, book=book)
    assert first.since_seconds == first.created_seconds == SECONDS - 40
    later = Moment(NOW + timedelta(seconds=7), SECONDS + 7)
    (second,) = seen(pod("p", OWNER, ready=True, created=starting.created), book=book, moment=later)
    assert second.since_seconds == SECONDS + 7
    assert second.created_seconds == SECONDS - 40


def test_a_wall_clock_that_jumps_changes_no_stage() -> None:
    book = StageBook()
    (first,) = seen(pod("p", OWNER), book=book)
    (second,) = seen(pod("p", OWNER), book=book, moment=Moment(NOW + timedelta(hours=5), SECONDS + 2))
    assert second.since_seconds == first.since_seconds
