"""What a replica's agent tells when it ends becomes a reason and a sentence; anything else is quoted as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.plan.last_words import last_words
from stoker.core.plan.planner import plan
from tests.unit.plan.test_reasons import after


def degraded(reason: str, code: int) -> str:
    """The condition of a model whose agent said why it ended."""
    lines = ["loading", "the last line"]
    verdict = {"ok": False, "reason": reason, "code": code, "message": "The engine ended.", "lines": lines}
    conditions = plan(after(code, message=json.dumps(verdict))).status.conditions
    found = next(condition for condition in conditions if condition.type == "Degraded")
    return f"{found.reason}: {found.message}"


@pytest.mark.parametrize(
    ("told", "code", "reason"),
    [
        ("HostMemory", 71, "OutOfHostMemory"),
        ("GPUMemory", 72, "OutOfGPUMemory"),
        ("NeverReady", 76, "NeverHealthy"),
        ("EngineStalled", 75, "CrashLoop"),
    ],
)
def test_a_verdict_is_told_in_its_words_and_not_as_json(told: str, code: int, reason: str) -> None:
    said = degraded(told, code)
    assert said.startswith(f"{reason}: ")
    ended = f"ended with exit code {code} ({told}) and was restarted 3 times."
    assert f"{ended} The engine ended. It said last: loading\nthe last line" in said


_VALUES = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["ok", "reason", "message", "lines"]), inner),
)


@given(_VALUES)
def test_other_json_is_no_verdict(value: object) -> None:
    verdict = last_words(json.dumps(value))
    assert verdict is None or (isinstance(value, dict) and value["ok"] is False)


@given(st.text())
def test_the_tail_of_a_log_is_no_verdict(text: str) -> None:
    assert last_words(f"{text}\nbye") is None
