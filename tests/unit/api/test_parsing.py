"""Files are read strictly, with every problem named at once; live objects tolerantly, so that a rollback works."""

from typing import Any

import pytest
from pydantic import ValidationError

from stoker.api.parsing import InvalidManifest, Unrecognised, parse_file, parse_live
from stoker.api.v1alpha1.engine import EngineName
from stoker.api.v1alpha1.rollout import RolloutStrategy
from stoker.api.values.source import HubSource
from tests.manifests import ABSENT, manifest
from tests.refused import REFUSED, Refused


def problems_of(changes: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidManifest) as refused:
        parse_file(manifest(changes))
    return [str(problem) for problem in refused.value.problems]


def test_the_smallest_manifest_has_a_name_a_source_and_a_most() -> None:
    spec = parse_file(manifest()).spec
    assert isinstance(spec.model.source, HubSource)
    assert spec.engine.name is EngineName.VLLM
    assert spec.replicas == 1


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.why)
def test_a_file_that_the_api_server_would_refuse_is_refused_at_the_same_field(refused: Refused) -> None:
    assert any(problem.startswith(refused.field) for problem in problems_of(dict(refused.changes)))


def test_every_problem_of_a_file_is_named_at_once() -> None:
    problems = problems_of(
        {"spec.engine.dtype": "BF16", "spec.drain.graceSeconds": "5m", "spec.model.sorce": "hf://a/b"}
    )
    assert [problem.partition(":")[0] for problem in problems] == [
        "spec.model.sorce",
        "spec.engine.dtype",
        "spec.drain.graceSeconds",
    ]


def test_a_misspelt_field_is_answered_with_the_one_that_was_meant() -> None:
    assert problems_of({"spec.scaling.maxReplica": 8}) == [
        "spec.scaling.maxReplica: is not a field here: did you mean maxReplicas?"
    ]


def test_an_unknown_field_inside_a_list_is_answered_with_the_known_ones() -> None:
    (problem,) = problems_of({"spec.engine.env": [{"name": "A", "wert": "b"}]})
    assert problem == "spec.engine.env[0].wert: is not a field here: remove it, or use one of name, value, valueFrom"


def test_a_reserved_field_is_said_to_be_reserved() -> None:
    assert problems_of({"spec.weights.storage": {"stream": {}}}) == [
        "spec.weights.storage.stream: is reserved for a later version: remove it"
    ]


def test_fields_are_spelt_as_the_api_spells_them() -> None:
    assert problems_of({"spec.scaling.max_replicas": 8})[0].startswith("spec.scaling.max_replicas: is not a field here")


def test_a_null_is_answered_with_its_path() -> None:
    assert problems_of({"spec.engine.contextLength": None}) == [
        "spec.engine.contextLength: is null: remove the field to leave it unset"
    ]


def test_a_null_in_the_template_means_that_a_key_goes_and_is_kept() -> None:
    patch = {"securityContext": None, "containers": [{"name": "server", "stdin": None}]}
    deployment = parse_file(manifest({"spec.template.spec": patch}))
    assert deployment.to_manifest()["spec"]["template"]["spec"] == patch


def test_a_bare_off_is_answered_with_the_quotes_that_it_needs() -> None:
    (problem,) = problems_of({"spec.scaling.mode": False})
    assert problem.endswith(
        "write one of 'Auto', 'Observe' or 'Off', in quotes, since YAML reads a bare On or Off as true or false"
    )


def test_a_file_of_another_kind_is_refused() -> None:
    assert problems_of({"kind": "Deployment"}) == ["kind: \"Deployment\" does not fit here: write 'ModelDeployment'"]
    assert problems_of({"kind": ABSENT}) == ["kind: is missing: write kind: ModelDeployment"]


def test_the_message_of_a_refused_file_names_the_object_in_every_line() -> None:
    with pytest.raises(InvalidManifest) as refused:
        parse_file(manifest({"spec.replicas": 9, "spec.engine.tensorParallel": 2}))
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == 2 * ["ModelDeployment llama-8b"]


def test_a_parsed_object_cannot_be_changed_and_can_be_hashed() -> None:
    deployment = parse_file(manifest({"spec.template.spec": {"tolerations": [{"key": "gpu"}]}}))
    with pytest.raises(ValidationError, match="frozen"):
        deployment.spec.replicas = 2  # type: ignore[misc]
    assert hash(deployment.spec) == hash(parse_live(deployment.to_manifest()).deployment.spec)


def test_what_is_written_back_is_what_was_read() -> None:
    once = parse_file(manifest({"spec.resources": {"requests": {"cpu": 4, "memory": "32Gi"}}}))
    assert parse_file(once.to_manifest()) == once


def test_a_quantity_may_be_a_number_as_yaml_reads_it() -> None:
    deployment = parse_file(manifest({"spec.resources": {"requests": {"cpu": 4}}}))
    assert deployment.spec.resources.requests["cpu"].whole_units == 4


def test_a_live_object_with_fields_of_a_newer_version_is_read() -> None:
    live = parse_live(manifest({"spec.adapters": [{"name": "a"}], "spec.engine.newKnob": 1}))
    assert live.deployment.spec == parse_file(manifest()).spec
    assert live.unrecognised == ()


def test_a_live_object_with_a_value_of_a_newer_version_is_read_and_the_value_reported() -> None:
    live = parse_live(manifest({"spec.rollout.strategy": "Canary", "spec.engine.name": "mlx"}))
    assert live.deployment.spec.rollout.strategy is RolloutStrategy.AUTO
    assert set(live.unrecognised) == {
        Unrecognised("spec.rollout.strategy", "Canary"),
        Unrecognised("spec.engine.name", "mlx"),
    }


def test_unknown_values_leave_a_list_and_known_ones_stay() -> None:
    claim = {"accessModes": ["ReadWriteSome", "ReadWriteMany", "ReadWriteNever"]}
    live = parse_live(manifest({"spec.weights.storage": {"claim": claim}}))
    stored = live.deployment.spec.weights.storage.claim
    assert stored is not None
    assert [str(mode) for mode in stored.access_modes] == ["ReadWriteMany"]
    assert len(live.unrecognised) == 2


def test_a_live_object_that_breaks_a_newer_rule_is_still_read() -> None:
    assert parse_live(manifest({"spec.replicas": 9})).deployment.spec.replicas == 9


def test_reading_a_live_object_leaves_the_original_as_it_was() -> None:
    original = manifest({"spec.rollout.strategy": "Canary"})
    parse_live(original)
    assert original == manifest({"spec.rollout.strategy": "Canary"})


def test_a_live_object_that_cannot_be_understood_is_refused_with_its_path() -> None:
    with pytest.raises(InvalidManifest, match=r"spec\.model\.source: .* starts with no scheme"):
        parse_live(manifest({"spec.model.source": "nfs://server/models"}))
