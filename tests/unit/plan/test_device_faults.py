"""A GPU that failed costs its pod, once in a while and not in a loop."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stoker.core.plan.actions import Plan, Replace
from stoker.core.plan.device_faults import YOUNGEST_SECONDS
from stoker.core.plan.planner import plan
from tests.unit.plan.builders import NOW, container, ended
from tests.unit.plan.test_reasons import running

OLD_ENOUGH = NOW - timedelta(seconds=YOUNGEST_SECONDS)
FAULT = ended(73, "Error", "NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus", restarts=1)


def planned(**changes: object) -> Plan:
    faulty = {"ready": False, "containers": (FAULT,), "created": OLD_ENOUGH, "node": "node-7"} | changes
    return plan(running(pods=[faulty, {}]))


def deleted(found: Plan) -> list[str]:
    return [action.pod.uid for action in found.actions if isinstance(action, Replace)]


def test_a_pod_whose_device_failed_is_deleted_by_uid_and_its_node_is_named() -> None:
    found = planned()
    assert deleted(found) == ["uid-llama-0"]
    (note,) = [note for note in found.notes if note.message.startswith("Ending pod")]
    assert (note.reason, note.warning) == ("DeviceFault", True)
    assert "node-7" in note.message


@pytest.mark.parametrize(
    "changes",
    [
        {"created": OLD_ENOUGH + timedelta(seconds=1)},
        {"ready": True},
        {"deleting": True},
        {"containers": (ended(70, restarts=5),)},
        {"containers": (replace(FAULT, name="agent"),)},
        {"containers": (container(),)},
    ],
    ids=["too young", "ready again", "on its way out", "another end", "another container", "no end"],
)
def test_any_other_pod_stays(changes: dict[str, object]) -> None:
    assert deleted(planned(**changes)) == []


def test_a_device_fault_is_not_held_against_a_new_revision() -> None:
    found = planned(containers=(replace(FAULT, restarts=9),))
    assert not [entry for entry in found.status.revisions if entry.failed_reason]
