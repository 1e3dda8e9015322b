"""The health check that the GitOps guide gives to Argo CD, run by a Lua on models in each state."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.fleet.objects import item, untouched

lupa = pytest.importorskip("lupa", reason="needs the package lupa, a Lua")

PAGE = Path(__file__).parents[3] / "docs" / "guides" / "gitops.md"
_SCRIPT = re.compile(r"stoker\.dev_ModelDeployment: \|\n(?P<lua>(?:    .*\n)+)")


@pytest.fixture(scope="module")
def script() -> str:
    found = _SCRIPT.search(PAGE.read_text(encoding="utf-8"))
    assert found
    return found["lua"]


def health(script: str, model: Any) -> tuple[str, str]:
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(dict(model), recursive=True)
    found = lua.execute(script)
    return found["status"], found["message"]


def test_a_model_that_serves_is_healthy(script: str) -> None:
    assert health(script, item()) == ("Healthy", "2 of 2 replicas take traffic.")


def test_a_model_that_no_operator_has_seen_is_progressing(script: str) -> None:
    assert health(script, untouched().raw)[0] == "Progressing"
    bare = {"metadata": {"generation": 1}, "spec": {}}
    assert health(script, bare) == ("Progressing", "no operator has looked at it yet")


def test_a_status_of_an_older_spec_is_progressing(script: str) -> None:
    assert health(script, item(status={"observedGeneration": 2}))[0] == "Progressing"


def test_what_is_under_way_is_progressing(script: str) -> None:
    rolling = item(Reconciling=("True", "RollingOut", "A rollout is under way."))
    assert health(script, rolling) == ("Progressing", "A rollout is under way.")
    assert health(script, item(Ready=("False", "Starting", "1 starts."))) == ("Progressing", "1 starts.")


def test_what_only_a_person_can_mend_is_degraded(script: str) -> None:
    assert health(script, item(Stalled=("True", "DoesNotFit", "Too large."))) == ("Degraded", "Too large.")


def test_a_suspended_model_is_suspended(script: str) -> None:
    assert health(script, item(spec={"suspend": True}, Ready=("False", "Suspended", "x")))[0] == "Suspended"
