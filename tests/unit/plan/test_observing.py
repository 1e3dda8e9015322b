"""What is only observed is recorded, and nothing is made for it."""

from dataclasses import replace
from typing import Any

import pytest

from stoker.api.v1alpha1.status import ScalingStatus
from stoker.core.plan.planner import plan
from stoker.core.plan.second_scaler import second_scaler
from stoker.core.plan.snapshot import Scaled
from tests.unit.follow.builders import FULL, replica, scaled, subject
from tests.unit.plan.builders import UID, deployment, replica_set, snapshot, written_through_scale_by

TARGET: dict[str, Any] = {"mode": "Observe", "maxReplicas": 4, "targetRef": {"kind": "Deployment", "name": "theirs"}}
DECIDED: Scaled = scaled(replica(load=FULL), of=subject(**TARGET))


def reasons(**changes: Any) -> dict[str, str]:
    conditions = plan(snapshot(deployment(scaling=TARGET), **changes)).status.conditions
    return {str(condition.type): str(condition.reason) for condition in conditions}


def test_another_tools_workload_leads_to_a_status_and_to_no_object() -> None:
    found = plan(snapshot(deployment(scaling=TARGET), scaled=DECIDED))
    assert found.actions == ()
    assert found.status.desired_replicas == 2
    assert (found.status.replicas, found.status.url) == (0, None)
    assert found.status.scaling == DECIDED.memory


def test_it_is_calm_and_fetches_nothing() -> None:
    found = reasons(scaled=DECIDED)
    assert (found["ScalingActive"], found["Ready"], found["WeightsReady"]) == ("ObservingLoad", "AtZero", "NotChecked")
    assert (found["Degraded"], found["Stalled"], found["Reconciling"]) == ("NoProblem", "NoProblem", "Settled")


def test_before_anything_was_decided_there_is_a_status_too() -> None:
    assert reasons()["ScalingActive"] == "HoldingFloor"


def test_each_decision_is_one_event() -> None:
    model = deployment(scaling=TARGET)
    told = plan(snapshot(model, scaled=DECIDED))
    assert [note.reason for note in told.notes if str(note.reason).startswith("Would")] == ["WouldScaleUp"]
    known = deployment(scaling=TARGET, status=model.status.model_copy(update={"scaling": DECIDED.memory}))
    again = plan(snapshot(known, scaled=DECIDED))
    assert not [note for note in again.notes if str(note.reason).startswith("Would")]


def test_what_was_decided_for_a_model_that_is_scaled_is_no_event_of_that_kind() -> None:
    found = plan(snapshot(scaled=scaled(replica(load=FULL))))
    assert not [note for note in found.notes if str(note.reason).startswith("Would")]


def test_a_model_that_had_replicas_gives_them_up_before_it_only_observes() -> None:
    held = replica_set("0123456789", 2, owner_uid=UID)
    found = plan(snapshot(deployment(scaling=TARGET), replica_sets=(held,)))
    assert found.actions
    emptied = replace(held, count=0, pods=0)
    assert plan(snapshot(deployment(scaling=TARGET), replica_sets=(emptied,))).actions == ()


@pytest.mark.parametrize("manager", ["kube-controller-manager", "keda-operator", ""])
def test_who_is_no_person_and_writes_scale_is_a_second_scaler(manager: str) -> None:
    found = second_scaler(written_through_scale_by(manager))
    assert found
    assert (manager or "somebody") in found.message


def test_kubectl_scale_is_a_persons_order_and_with_mode_off_there_is_but_one_scaler() -> None:
    assert second_scaler(written_through_scale_by("kubectl")) is None
    off = written_through_scale_by("kube-controller-manager", scaling={"maxReplicas": 4, "mode": "Off"})
    assert second_scaler(off) is None
    assert second_scaler(deployment()) is None


def test_nothing_kept_is_nothing_told() -> None:
    quiet = replace(DECIDED, memory=ScalingStatus())
    assert not [
        note
        for note in plan(snapshot(deployment(scaling=TARGET), scaled=quiet)).notes
        if str(note.reason).startswith("Would")
    ]
