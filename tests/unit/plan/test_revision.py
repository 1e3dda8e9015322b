"""What restarts replicas and what does not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stoker.api.declaration import ApiModel, Effect
from stoker.api.fields import fields_of
from stoker.api.v1alpha1.modeldeployment import ModelDeployment, Spec
from stoker.api.values.frozen import FrozenDict
from stoker.core.plan.actions import CreateReplicaSet, CreateRevision
from stoker.core.plan.planner import plan
from stoker.core.plan.revision import revision_input, revision_name
from stoker.core.plan.snapshot import Identity, Revision
from tests.unit.plan.builders import UID, cluster, deployment, snapshot


def leaves(model: type[ApiModel], path: tuple[str, ...], inherited: Effect) -> Iterator[tuple[tuple[str, ...], Effect]]:
    """Every field of the spec that holds a value of its own, with what an edit of it does."""
    for field in fields_of(model):
        effect = field.effect or inherited
        if field.shape.model:
            yield from leaves(field.shape.model, (*path, field.name), effect)
        else:
            yield (*path, field.name), effect


LEAVES = dict(leaves(Spec, (), Effect.LIVE))


def with_field(model: ModelDeployment, path: tuple[str, ...]) -> ModelDeployment:
    """The model with another value there, whatever it means: only the name of the revision is asked for."""

    def changed(part: ApiModel, rest: tuple[str, ...]) -> ApiModel:
        name, *below = rest
        field = next(field for field in fields_of(type(part)) if field.name == name)
        if not below:
            other: Any = FrozenDict({"some": "thing"}) if field.shape.kind in ("map", "json") else "something else"
        else:
            inner = getattr(part, name)
            assert field.shape.model
            other = changed(field.shape.model.model_construct() if inner is None else inner, tuple(below))
        return part.model_copy(update={name: other})

    return model.model_copy(update={"spec": changed(model.spec, path)})


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_exactly_the_fields_that_say_so_make_a_new_revision(path: tuple[str, ...]) -> None:
    model = deployment(
        engine={
            "name": "custom",
            "image": "registry.example.com/server:1",
            "custom": {"port": 9000},
            "env": [{"name": "A", "value": "b"}],
        },
        model={"source": "pvc://weights/llama", "secretRef": {"name": "token"}},
    )
    before = revision_name(revision_input(model))
    after = revision_name(revision_input(with_field(model, path)))
    assert (before != after) == (LEAVES[path] is Effect.REVISION)


def test_a_default_that_is_written_out_is_the_same_revision() -> None:
    engine = {"name": "simulated", "image": "registry.example.com/simulated:1"}
    plain, written = deployment(engine=engine), deployment(engine=engine | {"tensorParallel": 1, "dtype": "auto"})
    assert revision_name(revision_input(plain)) == revision_name(revision_input(written))


def test_another_spelling_of_an_amount_is_another_revision_only_in_the_eyes_of_its_author() -> None:
    one = deployment(resources={"requests": {"memory": "1Gi"}})
    other = deployment(resources={"requests": {"memory": "2Gi"}})
    assert revision_name(revision_input(one)) != revision_name(revision_input(other))


def test_the_name_of_a_revision_never_changes_between_versions() -> None:
    """A change here would restart every replica of every user at the next upgrade."""
    assert revision_name(revision_input(deployment())) == "bbecb2a7fc"


def test_an_annotation_rolls_out_anew() -> None:
    again = deployment(annotations={"stoker.dev/restarted-at": "2026-11-21T08:00:00Z"})
    assert revision_name(revision_input(again)) != revision_name(revision_input(deployment()))


def kept(model: ModelDeployment) -> Revision:
    (made,) = [action for action in plan(snapshot(model)).actions if isinstance(action, CreateRevision)]
    labels = made.body["metadata"]["labels"]
    data = json.dumps(made.body["data"]).encode()
    return Revision(Identity("models", "r", "uid-r", "1"), labels["stoker.dev/revision"], 1, UID, data)


def test_newer_defaults_change_no_pod_and_are_told() -> None:
    newer = cluster(configuration={"pods": {"sharedMemory": "9Gi"}})
    planned = plan(snapshot(cluster=newer, revisions=(kept(deployment()),)))
    conditions = {condition.type: condition for condition in planned.status.conditions}
    assert conditions["UpdateAvailable"].status == "True"
    (made,) = [action for action in planned.actions if isinstance(action, CreateReplicaSet)]
    volumes = made.body["spec"]["template"]["spec"]["volumes"]
    assert {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}} in volumes


def test_the_same_defaults_are_up_to_date() -> None:
    planned = plan(snapshot(revisions=(kept(deployment()),)))
    conditions = {condition.type: condition for condition in planned.status.conditions}
    assert conditions["UpdateAvailable"].status == "False"


def test_a_pinned_revision_that_does_not_exist_is_said_and_nothing_is_made() -> None:
    planned = plan(snapshot(deployment(rollout={"revision": "0123456789"})))
    conditions = {condition.type: condition for condition in planned.status.conditions}
    assert conditions["Stalled"].reason == "UnknownRevision"
    assert planned.actions == ()
