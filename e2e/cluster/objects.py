"""API objects that every cluster starts with."""

from typing import Any

from e2e.cluster.components import Settings
from e2e.cluster.layout import DNS_SERVICE_IP, NODE_IP

PROVISIONER = "stoker.dev/node-folder"
GPU_MEMORY_MIB = 81559
KWOK_PRODUCT = "NVIDIA-H100-80GB-HBM3"


def base_objects() -> list[dict[str, Any]]:
    monitoring = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}}
    return [
        monitoring,
        _storage_class(),
        *_service_of_node("kube-system", "kube-dns", DNS_SERVICE_IP, {"dns": (53, "UDP"), "dns-tcp": (53, "TCP")}),
        *_service_of_node("monitoring", "prometheus", None, {"http": (9090, "TCP")}),
    ]


def _storage_class() -> dict[str, Any]:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": default},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _service_of_node(
    namespace: str, name: str, ip: str | None, ports: dict[str, tuple[int, str]]
) -> list[dict[str, Any]]:
    """A Service without a selector, for what runs on the node outside of pods."""
    listed = [{"name": port, "port": number, "protocol": protocol} for port, (number, protocol) in ports.items()]
    labels = {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "stoker-e2e"}
    service: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": listed} | ({"clusterIP": ip} if ip else {}),
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-node", "namespace": namespace, "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [NODE_IP], "conditions": {"ready": True}}],
        "ports": listed,
    }
    return [service, endpoints]


def kwok_node(index: int, settings: Settings) -> dict[str, Any]:
    """A node that exists in the API alone; real pods keep off it unless they tolerate the taint."""
    name = f"kwok-{index}"
    amounts = {"cpu": "128", "memory": "1Ti", "pods": "250", "nvidia.com/gpu": str(settings.kwok_gpus)}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "type": "kwok",
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": KWOK_PRODUCT,
        "nvidia.com/gpu.memory": str(GPU_MEMORY_MIB),
        "nvidia.com/gpu.count": str(settings.kwok_gpus),
    }
    fake = {"kwok.x-k8s.io/node": "fake"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": fake},
        "spec": {"taints": [{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": amounts, "capacity": amounts},
    }
