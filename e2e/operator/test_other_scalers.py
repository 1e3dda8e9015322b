"""An HPA of the cluster's own controller: it works with mode Off, and is noticed with mode Auto. And a workload that
another tool runs is observed, and never touched."""

from copy import deepcopy

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.operator.conftest import Models, Operators
from e2e.operator.streams import Load
from e2e.operator.test_scaling_follows_the_load import ready
from e2e.running_cluster import until
from stoker.core.engine import EVERYWHERE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TARGET = {"type": "Value", "value": 1}
HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "stoker.dev/v1alpha1", "kind": "ModelDeployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 3,
        # Nobody serves this metric here: its bounds are what this HPA acts on.
        "metrics": [
            {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": 1}}}
        ],
    },
}


def floor(models: Models) -> int:
    return int(models.namespace.json("get", "mdep/web")["spec"]["replicas"])


def events(models: Models) -> set[str]:
    return {event["reason"] for event in models.namespace.json("get", "events")["items"]}


def test_an_hpa_sets_the_number_with_mode_off_and_is_noticed_with_mode_auto(
    models: Models, operators: Operators
) -> None:
    namespace = models.namespace
    with operators.operator():
        models.create(replicas=1)
        models.wait_ready()
        namespace.apply(deepcopy(HPA))
        until(lambda: floor(models) == 2, "the HPA to write /scale", 90)
        until(lambda: ready(models) == 2, "two replicas", 60)
        assert models.condition("ScalingLimited")["reason"] != "SecondScaler", "with mode Off it is the one scaler"

        namespace.kubectl("patch", "mdep/web", "--type=merge", '--patch={"spec": {"scaling": {"mode": "Auto"}}}')
        message = models.wait_for_reason("ScalingLimited", "SecondScaler", seconds=30)
        assert "kube-controller-manager" in message
        until(lambda: "SecondScaler" in events(models), "an Event", 30)

        namespace.kubectl("delete", "hpa/web")
        namespace.kubectl("scale", "mdep/web", "--replicas=1")
        until(lambda: models.condition("ScalingLimited")["reason"] != "SecondScaler", "the floor to be a person's", 60)


def test_what_another_tool_runs_is_observed_and_never_touched(models: Models, operators: Operators) -> None:
    namespace = models.namespace
    load_image(operators.cluster.layout, "simulated")
    command = ["python", "-m", "stoker_runtime", "simulated", "--host", EVERYWHERE.host, "--port", "8000"]
    command += ["--served-model-name", "web", "--max-concurrency", "2", "--decode-base-ms", "25"]
    container = {
        "name": "engine",
        "image": build_image("simulated").reference,
        "command": command,
        "ports": [{"containerPort": 8000}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
    }
    labels = {"app": "theirs"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    namespace.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "theirs"},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "theirs"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]},
        },
    )
    namespace.kubectl("wait", "deployment/theirs", "--for=condition=Available", "--timeout=90s")
    before = namespace.json("get", "deployment/theirs")["metadata"]["generation"]
    scaling = {"mode": "Observe", "maxReplicas": 8, "targetRef": {"kind": "Deployment", "name": "their"}}
    load = Load(models, rate=3.0, output_tokens=40, service="theirs")
    with operators.operator():
        models.create(engine={"name": "simulated", "custom": None, "image": None}, scaling=scaling)
        message = models.wait_for_reason("ScalingActive", "TargetUnknown", seconds=30)
        assert "There is no Deployment their" in message
        right = '{"spec": {"scaling": {"targetRef": {"name": "theirs"}}}}'
        namespace.kubectl("patch", "mdep/web", "--type=merge", f"--patch={right}")
        models.wait_for_reason("ScalingActive", "ObservingLoad", seconds=60)
        with load.running():
            until(lambda: "WouldScaleUp" in events(models), "an Event on what would be done", 120)
    status = namespace.json("get", "mdep/web")["status"]
    assert status["desiredReplicas"] >= 2
    assert status["scaling"]["explanation"]
    made = namespace.json("get", "pods,services,replicasets,jobs", "--selector=stoker.dev/model")["items"]
    assert not made, "nothing is made for what is only observed"
    assert namespace.json("get", "deployment/theirs")["metadata"]["generation"] == before
