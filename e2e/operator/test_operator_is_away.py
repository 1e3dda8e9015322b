"""Models go on without their operator, and a new one goes on where the old one was."""

import pytest

from e2e.operator.conftest import Models, Operators
from e2e.running_cluster import until

pytestmark = pytest.mark.e2e


def test_a_pod_that_is_deleted_while_no_operator_runs_is_replaced_and_serves(
    operators: Operators, models: Models
) -> None:
    with operators.operator() as operator:
        models.create(replicas=2)
        models.wait_settled()
        models.wait_routed()
        operator.kill()
    victim = min(models.pods())
    models.namespace.kubectl("delete", f"pod/{victim}", "--wait=false")

    def replaced() -> bool:
        answers = {models.ask() for _ in range(20)}
        return victim not in answers and len(answers) == 2

    until(replaced, "the replacement serves")


def test_an_operator_with_other_defaults_restarts_no_pod_and_says_that_there_are_newer_ones(
    operators: Operators, models: Models
) -> None:
    with operators.operator():
        models.create(replicas=2)
        models.wait_settled()
        before = models.pods()
    with operators.operator(pods={"startupSeconds": 600}):
        models.wait_for_reason("UpdateAvailable", "NewerDefaults")
        assert models.pods() == before
        models.namespace.kubectl("annotate", "mdep/web", "stoker.dev/restarted-at=today")
        models.wait_for_reason("UpdateAvailable", "UpToDate")
        until(lambda: not set(models.pods()) & set(before), "the roll-out of the new defaults", 120)


def test_what_changed_while_the_operator_was_away_is_brought_about(operators: Operators, models: Models) -> None:
    with operators.operator() as operator:
        models.create(replicas=3)
        models.wait_settled()
        operator.kill()
    models.namespace.kubectl("scale", "mdep/web", "--replicas=1")
    with operators.operator():
        until(lambda: len(models.pods()) == 1, "one replica", 90)
