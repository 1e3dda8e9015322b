"""What every replica's pod is, whatever its spec says, and what the platform team's fence keeps out."""

from typing import Any

import pytest

from stoker.core.plan.actions import CreateReplicaSet
from stoker.core.plan.planner import plan
from tests.unit.plan.builders import cluster, deployment, snapshot


def pod_of(configuration: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    planned = plan(snapshot(deployment(**spec), cluster=cluster(configuration=configuration or {})))
    (made,) = [action for action in planned.actions if isinstance(action, CreateReplicaSet)]
    template: dict[str, Any] = made.body["spec"]["template"]
    return template


def server_of(template: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in template["spec"]["containers"] if one["name"] == "server")


def refused(template: dict[str, Any], **allowed: Any) -> str:
    world = snapshot(deployment(template=template), cluster=cluster(configuration={"allowed": allowed}))
    stalled = next(one for one in plan(world).status.conditions if one.type == "Stalled")
    return stalled.message if stalled.status == "True" else ""


def test_a_pod_is_restricted_and_has_no_token() -> None:
    spec = pod_of()["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    security = server_of({"spec": spec})["securityContext"]
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_one_prefix_serves_the_published_images_and_leaves_those_that_somebody_named() -> None:
    settings = {"images": {"prefix": "registry.example.com/mirror"}}
    published = server_of(pod_of(engine={"name": "ollama"}))["image"]
    mirrored = server_of(pod_of(settings, engine={"name": "ollama"}))["image"]
    assert published == mirrored.replace("registry.example.com/mirror", "docker.io")
    own = {"name": "ollama", "image": "registry.other/own:1"}
    assert server_of(pod_of(settings, engine=own))["image"] == own["image"]
    assert server_of(pod_of(settings | {"engines": [own]}, engine={"name": "ollama"}))["image"] == own["image"]


def test_the_weights_are_mounted_read_only() -> None:
    mounts = {mount["name"]: mount for mount in server_of(pod_of())["volumeMounts"]}
    assert mounts["weights"]["readOnly"] is True


def test_what_vllm_compiled_outlives_its_process() -> None:
    image = {"image": "registry.example.com/vllm:1"}
    template = pod_of({"pods": {"compiled": "3Gi"}}, engine={"name": "vllm"} | image)
    places = {mount["name"]: mount["mountPath"] for mount in server_of(template)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    assert places["compiled"] == "/var/cache/vllm/torch_compile_cache"
    assert volumes["compiled"] == {"name": "compiled", "emptyDir": {"sizeLimit": "3Gi"}}
    others = pod_of(engine={"name": "sglang"} | image)
    assert "compiled" not in {volume["name"] for volume in others["spec"]["volumes"]}


def test_devices_are_asked_for_as_request_and_as_limit() -> None:
    resources = {"requests": {"cpu": "4", "memory": "32Gi"}}
    accelerator = {"resourceName": "nvidia.com/mig-3g.40gb", "count": 2}
    engine = {"name": "simulated", "image": "registry.example.com/simulated:1", "tensorParallel": 2}
    server = server_of(pod_of(resources=resources, accelerator=accelerator, engine=engine))
    assert server["resources"] == {
        "requests": {"cpu": "4", "memory": "32Gi", "nvidia.com/mig-3g.40gb": "2"},
        "limits": {"nvidia.com/mig-3g.40gb": "2"},
    }


def test_an_engine_on_the_cpu_asks_for_no_device() -> None:
    assert "resources" not in {key for key, value in server_of(pod_of(accelerator={"count": 0})).items() if value}


def test_products_become_an_affinity_and_bring_their_tolerations() -> None:
    toleration = {"key": "gpu", "value": "h100", "effect": "NoSchedule"}
    product = {"name": "NVIDIA-H100-80GB-HBM3", "tolerations": [toleration], "nodeSelector": {"pool": "h100"}}
    spec = pod_of({"gpuProducts": [product]}, accelerator={"products": ["NVIDIA-H100-80GB-HBM3"]})["spec"]
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["NVIDIA-H100-80GB-HBM3"]
    assert spec["tolerations"] == [toleration]
    assert spec["nodeSelector"] == {"pool": "h100"}


def test_a_long_drain_is_covered_by_the_pods_grace() -> None:
    assert pod_of(drain={"graceSeconds": 600})["spec"]["terminationGracePeriodSeconds"] > 600


def test_the_users_variables_go_over_the_platforms_and_those_over_the_engines() -> None:
    configuration = {"engines": [{"name": "custom", "env": {"PORT": "1", "BOTH": "platform", "ONLY": "platform"}}]}
    engine = {
        "name": "custom",
        "image": "registry.example.com/server:1",
        "env": [{"name": "BOTH", "value": "user"}],
    }
    found = {one["name"]: one.get("value") for one in server_of(pod_of(configuration, engine=engine))["env"]}
    assert (found["BOTH"], found["ONLY"], found["PORT"]) == ("user", "platform", "1")


def test_a_start_may_be_long_and_a_failure_is_seen_fast() -> None:
    server = server_of(pod_of({"pods": {"startupSeconds": 7200}}))
    assert server["startupProbe"]["periodSeconds"] * server["startupProbe"]["failureThreshold"] == 7200
    assert server["readinessProbe"]["periodSeconds"] * server["readinessProbe"]["failureThreshold"] <= 5


def test_a_sidecar_a_label_and_a_selector_are_merged() -> None:
    sidecar = {"name": "proxy", "image": "registry.example.com/proxy:1"}
    patch = {"metadata": {"labels": {"team": "search"}}, "spec": {"containers": [sidecar], "nodeSelector": {"a": "b"}}}
    template = pod_of(template=patch)
    assert {one["name"] for one in template["spec"]["containers"]} == {"server", "proxy"}
    assert template["metadata"]["labels"]["team"] == "search"
    assert template["metadata"]["labels"]["stoker.dev/tier"] == "serving"


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"hostNetwork": True}, "spec.hostNetwork"),
        ({"hostPID": True}, "spec.hostPID"),
        ({"serviceAccountName": "admin"}, "spec.serviceAccountName"),
        ({"automountServiceAccountToken": True}, "spec.automountServiceAccountToken"),
        ({"securityContext": {"runAsUser": 0}}, "spec.securityContext.runAsUser"),
        ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "spec.volumes[x].hostPath.path"),
        ({"containers": [{"name": "server", "image": "registry.example.com/evil:1"}]}, "spec.containers[server].image"),
        ({"containers": [{"name": "server", "command": ["sh"]}]}, "spec.containers[server].command"),
        ({"containers": [{"name": "proxy", "securityContext": {"privileged": True}}]}, "privileged"),
        ({"containers": [{"name": "server", "$patch": "delete"}]}, "spec.containers[server]"),
    ],
)
def test_what_would_break_out_of_the_pod_is_refused_by_its_path(patch: dict[str, Any], path: str) -> None:
    message = refused({"spec": patch})
    assert path in message
    assert "allowed.templatePaths" in message


@pytest.mark.parametrize(
    "patch", [{"containers": [{"$patch": "replace"}, {"name": "proxy", "image": "registry.example.com/p:1"}]}]
)
def test_no_pattern_lets_a_patch_remove_the_server_with_all_containers(patch: dict[str, Any]) -> None:
    assert refused({"spec": patch}, templatePaths=["*", "spec", "spec.containers"])


def test_a_sidecars_image_has_to_be_allowed_too() -> None:
    sidecar = {"name": "proxy", "image": "elsewhere.example.com/proxy:1"}
    assert "elsewhere.example.com" in refused({"spec": {"containers": [sidecar]}}, images=["registry.example.com/*"])
