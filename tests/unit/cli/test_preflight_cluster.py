"""What `stoker preflight` makes of namespaces, storage, nodes and classes."""

from dataclasses import replace
from typing import Any, cast

import pytest

from stoker.core.preflight.check import Check, Level
from tests.unit.cli.ready_cluster import (
    CPU_NODE,
    FAST,
    GPU_NODE,
    LABELS,
    READY,
    checked,
    configured,
    nodes,
    quota,
    storage,
    the,
)

# --- the namespace and its quotas ---


def test_a_namespace_that_does_not_exist_fails_and_has_no_quota() -> None:
    found = checked(replace(READY, namespace_exists=False))
    (check,) = [check for check in found if check.name in ("namespace", "quota")]
    assert check == Check(
        "namespace", Level.FAIL, "models does not exist", "kubectl create namespace models, or give -n"
    )


def test_what_a_quota_leaves_is_said() -> None:
    found = the("quota", quota({"requests.nvidia.com/gpu": "8", "limits.cpu": "4"}, {"requests.nvidia.com/gpu": "5"}))
    assert found == Check("quota", Level.OK, "ResourceQuota team in models leaves 3 of 8 requests.nvidia.com/gpu")


def test_a_quota_that_is_used_up_fails() -> None:
    found = the("quota", quota({"pods": "1k"}, {"pods": "1001"}))
    assert found.level is Level.FAIL
    assert found.sentence == "ResourceQuota team in models leaves 0 of 1000 pods"


def test_a_quota_with_scopes_may_count_other_pods() -> None:
    found = the("quota", quota({"pods": "0"}, {"pods": "0"}, scoped=True))
    assert found.level is Level.WARN
    assert found.sentence == "ResourceQuota team in models leaves 0 of 0 pods, for the pods that its scopes select"


def test_a_quota_that_does_not_say_what_is_used_is_unknown() -> None:
    found = the("quota", quota({"pods": "10"}, {}))
    assert found.level is Level.UNKNOWN
    assert found.sentence == "ResourceQuota team in models does not say yet how much of pods is used"


def test_a_quota_on_other_things_bounds_nothing_here() -> None:
    found = the("quota", quota({"services": "5"}, {"services": "5"}))
    assert found == Check("quota", Level.OK, "nothing bounds pods or accelerators in models")


# --- storage ---


def test_a_cluster_without_any_storage_class_fails() -> None:
    found = the("storage-class", storage())
    assert found.level is Level.FAIL
    assert found.sentence == "there is none, so claims for weights stay Pending until somebody makes a volume by hand"


def test_classes_of_which_none_is_the_default_warn() -> None:
    found = the("storage-class", storage(replace(FAST, default=False)))
    assert found.level is Level.WARN
    assert found.sentence == "none of fast is the default, so every ModelDeployment has to name one"
    assert found.remedy.endswith("kubectl annotate storageclass fast storageclass.kubernetes.io/is-default-class=true")


def test_several_defaults_warn() -> None:
    found = the("storage-class", storage(FAST, replace(FAST, name="slow")))
    assert found.level is Level.WARN
    assert found.sentence == "fast, slow are all the default: Kubernetes takes the newest of them"


def test_the_class_of_the_configuration_counts_before_the_default() -> None:
    facts = storage(FAST, replace(FAST, name="slow", default=False, waits_for_consumer=False))
    configuration = configured(storage={"storageClassName": "slow"})
    assert the("storage-class", facts, configuration).sentence == "slow, which storage.storageClassName names, exists"
    assert the("storage-binding", facts, configuration).level is Level.WARN


def test_a_class_of_the_configuration_that_does_not_exist_fails() -> None:
    assert the("storage-class", READY, configured(storage={"storageClassName": "gone"})) == Check(
        "storage-class",
        Level.FAIL,
        "gone, which storage.storageClassName names, does not exist",
        "create it, or set storage.storageClassName to one that exists: fast",
    )


def test_volumes_that_are_placed_before_the_pod_warn() -> None:
    found = the("storage-binding", storage(replace(FAST, waits_for_consumer=False)))
    assert found.level is Level.WARN
    assert found.sentence == "fast places volumes at once, perhaps where no node has a free accelerator"


def test_a_class_without_a_provisioner_warns() -> None:
    found = the("storage-provisioner", storage(replace(FAST, provisioner="kubernetes.io/no-provisioner")))
    assert found.level is Level.WARN
    assert found.sentence == "nobody makes volumes for fast: claims bind only to what somebody made before"


def test_an_old_name_of_a_provisioner_stands_for_its_driver() -> None:
    facts = storage(replace(FAST, provisioner="kubernetes.io/aws-ebs"))
    assert the("storage-provisioner", facts).level is Level.OK
    found = the("storage-provisioner", replace(facts, drivers=frozenset()))
    assert found == Check(
        "storage-provisioner",
        Level.FAIL,
        "fast needs the driver ebs.csi.aws.com, which is not installed",
        "install ebs.csi.aws.com, or use another class",
    )


def test_a_provisioner_that_does_not_register_is_unknown() -> None:
    found = the("storage-provisioner", storage(replace(FAST, provisioner="rancher.io/local-path")))
    assert found.level is Level.UNKNOWN
    assert found.sentence == (
        "rancher.io/local-path, which makes volumes for fast, is no driver that registers with Kubernetes"
    )


# --- accelerators ---


def test_accelerators_are_counted_by_resource_and_node() -> None:
    mig = {"nvidia.com/mig-3g.40gb": 2, "rdma/hca": 4}
    found = the(
        "accelerators",
        nodes(
            GPU_NODE, replace(GPU_NODE, name="gpu-2"), replace(GPU_NODE, name="gpu-3", capacity=mig, allocatable=mig)
        ),
    )
    assert found == Check("accelerators", Level.OK, "16 nvidia.com/gpu on 2 nodes; 2 nvidia.com/mig-3g.40gb on 1 node")


def test_a_cluster_without_accelerators_warns() -> None:
    found = the("accelerators", nodes(CPU_NODE))
    assert found.level is Level.WARN
    assert found.sentence == "none of 1 node advertises any, so only models with count 0 are scheduled"


def test_devices_that_cannot_be_allocated_warn() -> None:
    found = the("accelerators", nodes(replace(GPU_NODE, allocatable={"nvidia.com/gpu": 7})))
    assert found.level is Level.WARN
    assert found.sentence == "7 nvidia.com/gpu on 1 node; gpu-1 has devices that are not allocatable"


def test_a_device_plugin_that_advertises_no_device_warns() -> None:
    found = the(
        "accelerators", nodes(replace(GPU_NODE, capacity={"nvidia.com/gpu": 0}, allocatable={"nvidia.com/gpu": 0}))
    )
    assert found.level is Level.WARN
    assert found.sentence == "0 nvidia.com/gpu on 0 nodes"


def test_nodes_that_take_no_pods_are_named() -> None:
    found = the(
        "accelerator-nodes",
        nodes(GPU_NODE, replace(GPU_NODE, name="gpu-2", cordoned=True), replace(GPU_NODE, name="gpu-3", ready=False)),
    )
    assert found == Check(
        "accelerator-nodes",
        Level.WARN,
        "1 of 3 nodes with accelerators takes pods; cordoned: gpu-2; not ready: gpu-3",
        "kubectl uncordon them; kubectl describe node tells why",
    )


def test_many_nodes_are_counted_rather_than_named() -> None:
    found = the("accelerator-nodes", nodes(*(replace(GPU_NODE, name=f"n{i}", cordoned=True) for i in range(5))))
    assert found.sentence == "0 of 5 nodes with accelerators take pods; cordoned: n0, n1, n2 and 2 more"


@pytest.mark.parametrize("label", LABELS)
def test_a_gpu_node_without_its_labels_warns(label: str) -> None:
    bare = {name: value for name, value in LABELS.items() if name != label}
    found = the("gpu-labels", nodes(replace(GPU_NODE, labels=bare)))
    assert found.level is Level.WARN
    assert found.sentence == (
        "gpu-1: without nvidia.com/gpu.product or nvidia.com/gpu.memory, so models that ask for a product are not"
        " scheduled there and fit is not checked"
    )


def test_the_products_are_named() -> None:
    assert the("gpu-labels", READY).sentence == "products on 1 node: NVIDIA-H100-80GB-HBM3"


def test_other_vendors_need_no_nvidia_labels() -> None:
    amd = {"amd.com/gpu": 8}
    found = the("gpu-labels", nodes(replace(GPU_NODE, labels={}, capacity=amd, allocatable=amd)))
    assert found == Check("gpu-labels", Level.OK, "not needed: no node advertises an NVIDIA GPU")


# --- classes of pods ---


@pytest.mark.parametrize(
    ("key", "name", "fact"),
    [
        ("priorityClassName", "priority-class", "priority_class_exists"),
        ("runtimeClassName", "runtime-class", "runtime_class_exists"),
    ],
)
def test_a_class_that_the_configuration_names_must_exist(key: str, name: str, fact: str) -> None:
    configuration, there = configured(pods={key: "mine"}), cast("dict[str, Any]", {fact: True})
    assert the(name, replace(READY, **there), configuration).level is Level.OK
    assert the(name, READY, configuration) == Check(
        name,
        Level.FAIL,
        f"mine, which pods.{key} names, does not exist, so every pod would be refused",
        f"create it, or change pods.{key}",
    )
    assert name not in {check.name for check in checked(READY)}
