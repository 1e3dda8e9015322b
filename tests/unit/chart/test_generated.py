import pytest

from stoker.api.schema.permissions import PERMISSIONS
from tests.unit.chart.generate import drifted
from tests.unit.chart.generation.documented_values import documented_values
from tests.unit.chart.generation.rules_template import rules_template


def test_what_is_generated_is_what_would_be_generated() -> None:
    assert drifted() == []


def test_a_value_without_a_comment_is_refused() -> None:
    with pytest.raises(ValueError, match=r"operator\.replicas has no comment"):
        documented_values("operator:\n  # What runs.\n  image: x\n  replicas: 2\n")


def test_a_comment_of_several_lines_is_one_meaning_and_covers_what_is_below() -> None:
    (value,) = documented_values("# First\n# and second.\nresources:\n  limits:\n    memory: 1Gi\n")
    assert (value.path, value.meaning) == (("resources",), "First and second.")
    assert value.default == {"limits": {"memory": "1Gi"}}


def test_every_rule_has_its_reason_above_it() -> None:
    lines = rules_template().splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("- apiGroups")]
    assert len(rules) == len(PERMISSIONS)
    assert all(lines[number - 1].startswith("# ") for number in rules)
