"""What may be edited and what may not: rules that compare an object with what it was."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.integration.api_server import ApiServer
from tests.manifests import ABSENT, manifest

_CLAIM = {"claim": {"size": "100Gi", "storageClassName": "fast", "accessModes": ["ReadWriteMany"]}}
_SERVED = "servedName cannot be changed, set or unset later"
_MOVED = "storage cannot move to another claim later"
_RECLASSED = "storageClassName and accessModes of a claim cannot be changed, set or unset later"
_SHRUNK = "a claim cannot shrink"


@pytest.fixture
def edited(api: ApiServer) -> Iterator[ApiServer]:
    yield api
    api.delete("edited")


def edit(api: ApiServer, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The message of the refusal, or nothing."""
    made = api.create(manifest({"metadata.name": "edited", **before}), options="?fieldValidation=Strict")
    assert made.status == 201, made.message
    # The whole object again, as a user who applies a file would: what it leaves out is unset.
    answer = api.update(
        manifest(
            {
                "metadata.name": "edited",
                "metadata.resourceVersion": made.body["metadata"]["resourceVersion"],
                **before,
                **after,
            }
        )
    )
    return "" if answer.status == 200 else answer.message


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({"spec.model.servedName": "a"}, {"spec.model.servedName": "b"}, _SERVED),
        ({"spec.model.servedName": "a"}, {"spec.model.servedName": ABSENT}, _SERVED),
        ({}, {"spec.model.servedName": "a"}, _SERVED),
        ({"spec.weights.storage": _CLAIM}, {"spec.weights.storage": {"existingClaim": {"name": "a"}}}, _MOVED),
        ({"spec.weights.storage": {"existingClaim": {"name": "a"}}}, {"spec.weights.storage": _CLAIM}, _MOVED),
        ({"spec.weights.storage": {"existingClaim": {"name": "a"}}}, {"spec.weights": ABSENT}, _MOVED),
        (
            {"spec.weights.storage": {"existingClaim": {"name": "a"}}},
            {"spec.weights.storage": {"existingClaim": {"name": "b"}}},
            _MOVED,
        ),
        ({"spec.weights.storage": _CLAIM}, {"spec.weights": ABSENT}, _RECLASSED),
        ({"spec.weights.storage": _CLAIM}, {"spec.weights.storage": ABSENT}, _RECLASSED),
        (
            {"spec.weights.storage": _CLAIM},
            {"spec.weights.storage": {"claim": {"size": "100Gi", "accessModes": ["ReadWriteMany"]}}},
            _RECLASSED,
        ),
        (
            {"spec.weights.storage": {"claim": {"size": "1Gi"}}},
            {"spec.weights.storage": {"claim": {"size": "1Gi", "storageClassName": "slow"}}},
            _RECLASSED,
        ),
        (
            {"spec.weights.storage": {"claim": {"size": "1Gi"}}},
            {"spec.weights.storage": {"claim": {"size": "1023Mi"}}},
            _SHRUNK,
        ),
        ({"spec.weights.storage": {"claim": {"size": "1Gi"}}}, {"spec.weights.storage": {"claim": {}}}, _SHRUNK),
        (
            {"spec.weights.storage": {"claim": {"size": "1Gi"}}},
            {"spec.weights.storage": {"claim": {"size": "2 Gi"}}},
            "2 Gi is not a quantity",
        ),
    ],
)
def test_an_edit_of_what_is_fixed_is_refused(
    edited: ApiServer, before: dict[str, Any], after: dict[str, Any], sentence: str
) -> None:
    message = edit(edited, before, after)
    assert sentence in message
    assert "evaluating rule" not in message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"spec.model.servedName": "a"}, {"spec.model.source": "hf://a/b@v2"}),
        ({"spec.weights.storage": _CLAIM}, {"spec.weights.keepRevisions": 5}),
        ({"spec.weights.storage": {"claim": {"size": "1Gi"}}}, {"spec.weights.storage": {"claim": {"size": "1025Mi"}}}),
        ({"spec.weights.storage": {"claim": {"size": "1Gi"}}}, {"spec.weights.storage": {"claim": {"size": "1024Mi"}}}),
        ({"spec.weights.storage": {"claim": {}}}, {"spec.weights.storage": {"claim": {"size": "1Gi"}}}),
        ({}, {"spec.engine.name": "sglang"}),
        ({}, {"spec.scaling": {"maxReplicas": 2, "mode": "Off"}}),
        ({}, {"spec.suspend": True}),
    ],
)
def test_an_edit_of_the_rest_is_taken(edited: ApiServer, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert edit(edited, before, after) == ""
