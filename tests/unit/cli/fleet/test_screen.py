"""One screen: what is shown, what is unknown, and which statement is the one that matters."""

import re

from hypothesis import given
from hypothesis import strategies as st

from stoker.cli.fleet.screen import Fleet, as_json, status_text
from stoker.cli.fleet.seen import Seen, seen
from stoker.cli.fleet.top import bar_of, top_text
from stoker.cli.fleet.why import Mood, why
from stoker.cli.paint import Paint
from tests.unit.cli.fleet.objects import item, model, untouched


def fleet(*models: Seen, capacity: dict[str, int] | None = None, across: bool = False) -> Fleet:
    return Fleet("namespace models", models, capacity, across)


def test_a_fleet_fits_on_one_screen() -> None:
    broken = model(
        "qwen-05b",
        status={
            "readyReplicas": 0,
            "desiredReplicas": 1,
            "warmReplicas": 0,
            "runningRequests": None,
            "accelerators": 1,
        },
        Ready=("False", "CrashLoop", "The engine ended 4 times."),
        Degraded=("True", "CrashLoop", "The engine ended 4 times."),
    )
    lines = status_text(fleet(model(), broken, capacity={"nvidia.com/gpu": 8})).splitlines()
    assert lines == [
        "MODEL     READY  WARM  STARTING  RUNNING  QUEUE  GPUS  WHY",
        "llama-8b    2/2   1/1         0       17      4     3  Serving: 2 of 2 replicas take traffic.",
        "qwen-05b    0/1   0/1         0        -      4     1  CrashLoop: The engine ended 4 times.",
        "",
        "1 of 2 models Ready in namespace models",
        "nvidia.com/gpu: 4 held by these models, of 8 that nodes have",
    ]


def test_nodes_that_may_not_be_read_are_unknown_and_not_none() -> None:
    text = status_text(fleet(model(), capacity=None))
    assert "the nodes may not be read" in text
    assert as_json(fleet(model()))["accelerators"]["nvidia.com/gpu"] == {"held": 3, "capacity": None}


def test_a_model_that_no_operator_has_seen_shows_no_numbers() -> None:
    row = status_text(fleet(untouched())).splitlines()[1]
    assert row.startswith("fresh    -/-")
    assert "No operator has looked" in row
    assert not as_json(fleet(untouched()))["ready"]


def test_a_status_of_an_older_spec_is_not_ready() -> None:
    behind = model(status={"observedGeneration": 2})
    assert not behind.is_ready
    assert why(behind).message == "The operator has seen generation 2, not 3 yet."


def test_models_on_cpus_say_nothing_of_accelerators() -> None:
    text = status_text(fleet(model(status={"accelerators": 0}), capacity={}))
    assert text.splitlines()[-1] == "1 of 1 model Ready in namespace models"


def test_an_empty_namespace_says_how_to_go_on() -> None:
    assert status_text(fleet()).startswith("No ModelDeployment in namespace models: apply one")


def test_namespaces_are_shown_where_there_may_be_several() -> None:
    header, row = status_text(fleet(model(), across=True)).splitlines()[:2]
    assert (header.split()[0], row.split()[0]) == ("NAMESPACE", "models")


def test_the_last_column_ends_where_the_terminal_does() -> None:
    text = status_text(fleet(model(Ready=("True", "Serving", "x" * 300))), width=80)
    assert max(map(len, text.splitlines()[:2])) == 80


def test_colours_change_no_width_and_no_word() -> None:
    plain = status_text(fleet(model()), width=90)
    painted = status_text(fleet(model()), width=90, paint=Paint(on=True))
    assert painted != plain
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain


def test_what_a_cluster_says_moves_no_cursor() -> None:
    text = status_text(fleet(model(Ready=("True", "Serving", "a\x1b]0;title\x07b\nc"))))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_what_is_wrong_comes_before_what_is_under_way() -> None:
    both = model(
        Reconciling=("True", "RollingOut", "A rollout is under way."),
        Degraded=("True", "ImagePullFailed", "A node cannot pull the image."),
    )
    assert (why(both).reason, why(both).mood) == ("ImagePullFailed", Mood.WRONG)
    assert why(model(Reconciling=("True", "RollingOut", "x"))).mood is Mood.UNDER_WAY
    assert why(model(ScalingLimited=("True", "AtMaximum", "x"))).reason == "AtMaximum"


def test_a_model_that_scales_blindly_says_so_and_one_that_only_follows_its_spec_does_not() -> None:
    for reason in ("LoadUnknown", "LoadSourceDown", "TargetUnknown"):
        assert why(model(ScalingActive=("False", reason, "x"))).reason == reason
    assert why(model(ScalingActive=("False", "FollowsSpec", "x"))).reason == "Serving"


def test_a_healthy_model_on_a_volume_of_one_node_leads_with_what_it_does() -> None:
    limit = ("True", "VolumeOnOneNode", "The claim can be mounted on one node at a time.")
    healthy = model(ScalingLimited=limit)
    assert (why(healthy).reason, why(healthy).mood) == ("Serving", Mood.WELL)
    homeless = ("False", "VolumeZoneHasNoGPU", "1 replica waits for a node.")
    lacks_room = model(ScalingLimited=limit, Scheduled=homeless, Degraded=("True", *homeless[1:]))
    assert (why(lacks_room).reason, why(lacks_room).mood) == ("VolumeZoneHasNoGPU", Mood.WRONG)


def test_a_healthy_model_with_newer_defaults_leads_with_what_it_does_and_the_foot_counts_it() -> None:
    behind = model(UpdateAvailable=("True", "NewerDefaults", "The operator would render the pods otherwise."))
    assert why(behind).reason == "Serving"
    told = "1 model has newer defaults to take: `stoker upgrade --all --dry-run` lists them"
    assert told in status_text(fleet(behind, model("b"))).splitlines()
    assert "newer defaults" not in status_text(fleet(model()))


def test_a_fleet_is_ready_when_every_model_is() -> None:
    assert as_json(fleet(model(), model("b")))["ready"] is True
    assert as_json(fleet(model(), untouched()))["ready"] is False


def test_each_replica_has_a_mark_by_what_it_is_there_for() -> None:
    counts = {"replicas": 3, "readyReplicas": 2, "desiredReplicas": 4, "drainingReplicas": 1, "asleepReplicas": 1}
    assert bar_of(model(status=counts).tiers) == "██▓▒+-."


def test_many_replicas_share_the_marks() -> None:
    bar = bar_of(model(status={"replicas": 300, "readyReplicas": 300, "desiredReplicas": 300}).tiers)
    assert len(bar) <= 26
    assert "▓" in bar


def test_the_live_picture_has_the_largest_model_first() -> None:
    small = model("a", status={"accelerators": 1})
    lines = top_text(fleet(small, model("b"), capacity={"nvidia.com/gpu": 8})).splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("a ", "b "))] == ["b", "a"]
    assert lines[0].endswith("] 4 of 8")
    assert lines[1] == "requests  34 run, 8 wait"


def test_a_model_that_does_not_tell_its_load_is_counted_as_silent() -> None:
    text = top_text(fleet(model(), model("b", status={"runningRequests": None, "waitingRequests": None})))
    assert "17 run, 4 wait; 1 model does not tell" in text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["spec", "status"]), st.sampled_from([*item()["spec"], *item()["status"]]), _JSON)
def test_no_object_is_too_strange_to_be_shown(part: str, field: str, value: object) -> None:
    strange = item()
    strange[part][field] = value
    shown = seen(strange)
    assert status_text(fleet(shown))
    assert top_text(fleet(shown))
    assert as_json(fleet(shown))
