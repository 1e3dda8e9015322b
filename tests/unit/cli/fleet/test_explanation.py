"""What `stoker explain` says of a model."""

import json
from datetime import UTC, datetime, timedelta

from stoker.cli.fleet.account import Account, Happening, ago, as_json, happenings
from stoker.cli.fleet.explanation import text
from stoker.cli.fleet.prospects import prospects
from stoker.cli.fleet.seen import Seen
from tests.unit.cli.fleet.objects import model, untouched

NOW = datetime(2026, 11, 21, 8, 5, tzinfo=UTC)


def account(of: Seen, happened: tuple[Happening, ...] | None = ()) -> Account:
    return Account(of, happened, NOW)


def test_the_last_decision_is_told_with_its_inputs() -> None:
    said = text(account(model()))
    assert "ScaleUp, 5 min ago: 1 → 2: 31 requests wait" in said
    assert (
        "a replica of revision 3f9a1c07be on NVIDIA-L4 carries 10 requests at once and 1.5 a second (90 % sure," in said
    )
    assert "a start takes loading 24 s (at most 41 s in 9 of 10)" in said
    assert "Requests running: 17; waiting: 4" in said


def test_a_condition_that_is_not_well_comes_with_its_remedy() -> None:
    said = text(account(model(ScalingLimited=("True", "AtMaximum", "More are needed."))))
    assert "→ Raise scaling.maxReplicas, or accept longer waits." in said
    assert "→" not in text(account(model())).replace("1 → 2", "")


def test_what_several_conditions_say_alike_is_said_once_with_its_remedy_at_the_top() -> None:
    alike = ("False", "SourceUnauthorized", "The hub wants a token.")
    said = text(account(model(Ready=alike, WeightsReady=alike, Stalled=("True", *alike[1:]))))
    assert said.count("The hub wants a token.") == 1
    assert said.count("→ Name a Secret") == 1
    assert said.splitlines()[2].strip().startswith("→ Name a Secret")
    assert "SourceUnauthorized: as above" in said


def test_a_reason_of_a_newer_operator_is_told_without_a_remedy() -> None:
    said = text(account(model(Degraded=("True", "SolarFlare", "The sun."))))
    assert said.splitlines()[:2] == ["ModelDeployment models/llama-8b: SolarFlare", "  The sun."]
    assert "→" not in said.replace("1 → 2", "")


def test_a_model_that_no_operator_has_seen_is_explained_too() -> None:
    said = text(account(untouched()))
    assert "check that Stoker runs and watches its namespace" in said
    assert "No operator has told of any. The spec asks for at least 1 and at most 8" in said
    assert "An operator that looks at it: none has so far." in said
    assert "None yet that changed something." in said


def test_events_are_told_latest_first_and_at_most_ten() -> None:
    events = [
        {
            "type": "Warning",
            "reason": f"R{number}",
            "message": "m",
            "count": 2,
            "lastTimestamp": (NOW - timedelta(minutes=30 - number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for number in range(15)
    ]
    found = happenings(events)
    assert [one.reason for one in found] == [f"R{number}" for number in range(14, 4, -1)]
    assert "16 min ago  R14: m (2 times)" in text(account(model(), found))


def test_an_event_of_the_newer_kind_has_its_time_in_other_fields() -> None:
    (found,) = happenings([{"eventTime": "2026-11-21T08:00:00.123456Z", "lastTimestamp": None, "note": "x"}])
    assert found.at.replace(microsecond=0) == NOW - timedelta(minutes=5)


def test_events_that_may_not_be_read_are_not_taken_for_none() -> None:
    assert "may not be read" in text(account(model(), None))
    assert as_json(account(model(), None))["events"] is None


def test_two_clocks_that_differ_are_no_negative_time() -> None:
    assert ago(NOW + timedelta(seconds=30), NOW) == "just now"
    assert ago(NOW - timedelta(seconds=90), NOW) == "90 s ago"
    assert ago(NOW - timedelta(hours=5), NOW) == "5 h ago"
    assert ago(NOW - timedelta(days=3), NOW) == "3 d ago"


def test_the_load_that_would_add_a_replica_is_what_was_learned() -> None:
    said = list(prospects(model()))
    assert said[0].startswith("More than about 20 requests at once, or 3.0 a second, add one")
    assert said[1] == "The next replica is the warm one, within seconds."
    assert said[2] == (
        "One is removed when 1 would have carried the load for 120 s at the least, and never below 1 (spec.replicas)."
    )


def test_without_a_warm_one_the_start_is_told() -> None:
    said = list(prospects(model(status={"warmReplicas": 0})))
    assert said[1].startswith("The next replica starts cold, which takes about 24 s")


def test_what_was_learned_of_another_revision_is_not_used() -> None:
    said = list(prospects(model(status={"currentRevision": "other"})))
    assert said[0] == "How much load adds a replica is not known yet: it is learned under load."


def test_at_the_maximum_no_load_helps() -> None:
    said = list(prospects(model(status={"desiredReplicas": 8})))
    assert said[0].startswith("No load adds a replica: scaling.maxReplicas is 8.")


def test_at_the_floor_none_goes() -> None:
    assert (
        list(prospects(model(status={"desiredReplicas": 1})))[-1] == "None is removed: spec.replicas wants at least 1."
    )


def test_while_the_load_is_unknown_none_goes() -> None:
    said = list(prospects(model(ScalingActive=("False", "LoadUnknown", "x"))))
    assert said[-1] == "No replica is removed while not every one tells its load in time."


def test_at_zero_only_an_order_wakes_it() -> None:
    zero = model(spec={"replicas": 0}, status={"desiredReplicas": 0})
    assert any("kubectl scale mdep/llama-8b --namespace models --replicas=1" in said for said in prospects(zero))


def test_without_scaling_only_an_order_changes_the_number() -> None:
    off = model(spec={"scaling": {"mode": "Off", "maxReplicas": 4}})
    (said,) = prospects(off)
    assert said == (
        "Nothing but an order: scaling.mode is Off, so spec.replicas is the exact number."
        " `kubectl scale mdep/llama-8b --namespace models --replicas=N` changes it."
    )
    assert "spec.suspend is true" in next(iter(prospects(model(spec={"suspend": True}))))


def test_as_json_it_holds_the_same() -> None:
    answer = as_json(account(model(ScalingLimited=("True", "AtMaximum", "x"))))
    assert json.dumps(answer)
    limited = next(said for said in answer["conditions"] if said["type"] == "ScalingLimited")
    assert limited["remedy"].startswith("Raise scaling.maxReplicas")
    assert answer["scaling"]["decision"] == "ScaleUp"
