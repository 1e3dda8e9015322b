"""What somebody does in the first hour: apply, wait, look, call, scale, suspend, delete."""

import json
import subprocess
import sys
from typing import Any

import pytest

from e2e.operator.conftest import Models, Operators
from e2e.operator_process import OperatorProcess
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("running_operator")]


def test_a_model_is_applied_waited_for_and_called_through_its_service(models: Models) -> None:
    models.create(replicas=2)
    models.wait_ready()
    models.wait_settled()
    models.wait_routed()


def test_kubectl_shows_what_matters(models: Models) -> None:
    models.create()
    models.wait_ready()
    header, row = models.namespace.kubectl("get", "mdep", "web").splitlines()
    shown = dict(zip(header.split(), row.split(), strict=False))
    assert (shown["NAME"], shown["READY"]) == ("web", "1")
    assert "Serving" in row
    assert "spec.replicas" in models.namespace.kubectl("explain", "mdep.spec.scaling.mode")
    events = models.namespace.kubectl("events", "--for=mdep/web")
    assert "Serving" in events


def test_kubectl_scales_up_and_down_and_only_the_chosen_go(models: Models) -> None:
    models.create()
    models.wait_settled()
    models.namespace.kubectl("scale", "mdep/web", "--replicas=4")
    models.namespace.kubectl("wait", "mdep/web", "--for=jsonpath={.status.readyReplicas}=4", "--timeout=60s")
    before = models.pods()
    models.namespace.kubectl("scale", "mdep/web", "--replicas=2")
    until(lambda: len(models.pods()) == 2, "two replicas")
    assert models.pods().items() <= before.items()
    models.wait_settled()


def test_suspending_stops_the_replicas_and_resuming_starts_them(models: Models) -> None:
    models.create()
    models.wait_ready()
    models.namespace.kubectl("patch", "mdep/web", "--type=merge", '--patch={"spec":{"suspend":true}}')
    models.wait_for_reason("Ready", "Suspended")
    until(lambda: models.pods() == {}, "no replica")
    models.namespace.kubectl("patch", "mdep/web", "--type=merge", '--patch={"spec":{"suspend":false}}')
    models.wait_ready()


def test_a_new_image_rolls_out_without_a_gap(models: Models) -> None:
    models.create(replicas=2)
    models.wait_settled()
    before = models.pods()
    models.create(replicas=2, engine={"env": [{"name": "NEW", "value": "yes"}]})
    until(lambda: not set(models.pods()) & set(before) and len(models.pods()) == 2, "the new revision", 120)
    models.wait_settled()
    models.wait_routed()


def test_deleting_a_model_takes_its_children_along_and_leaves_the_weights(models: Models) -> None:
    models.create()
    models.wait_ready()
    models.namespace.kubectl("delete", "mdep/web", "--timeout=60s")

    def left() -> list[str]:
        kinds = "pods,replicasets,services,poddisruptionbudgets,networkpolicies,controllerrevisions"
        found = models.namespace.json("get", kinds, "--selector=stoker.dev/model=web")
        return [item["metadata"]["name"] for item in found["items"]]

    until(lambda: left() == [], "no child")
    assert models.namespace.json("get", "pvc/weights")["status"]["phase"] == "Bound"


def test_an_autoscaler_of_kubernetes_may_move_the_number_where_scaling_is_off(models: Models) -> None:
    models.create()
    models.wait_ready()
    target = {"apiVersion": "stoker.dev/v1alpha1", "kind": "ModelDeployment", "name": "web"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    spec: dict[str, Any] = {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 4, "metrics": [metric]}
    models.namespace.apply(
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": spec}
    )
    models.namespace.kubectl("wait", "mdep/web", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=120s")
    assert models.namespace.json("get", "mdep/web")["spec"]["replicas"] == 3


def test_the_command_line_checks_the_cluster(operators: Operators) -> None:
    command = [*operators.command(), sys.executable, "-m", "stoker.cli", "preflight", "-o", "json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode in (0, 1), answer.stderr
    assert json.loads(answer.stdout)


def test_an_idle_operator_writes_nothing(running_operator: OperatorProcess, models: Models) -> None:
    models.create(replicas=2)
    models.wait_settled()
    # A revision is known to be good once its replicas were ready for some seconds.
    until(lambda: models.namespace.json("get", "mdep/web")["status"].get("goodRevision"), "a good revision", 30)
    before = models.namespace.json("get", "mdep/web")["metadata"]["resourceVersion"]
    cpu = running_operator.cpu_seconds()
    models.namespace.cluster.run("sleep", "15")
    assert models.namespace.json("get", "mdep/web")["metadata"]["resourceVersion"] == before
    assert running_operator.cpu_seconds() - cpu < 1.5
