"""Configuration files of the components."""

import json
from pathlib import Path
from typing import Any

from e2e.cluster.busybox_image import BUSYBOX_IMAGE
from e2e.cluster.layout import DNS_DOMAIN, DNS_SERVICE_IP, NODE_IP, NODE_NAME, POD_RANGE, Layout

SCRAPE_SECONDS = 5


def write_component_files(layout: Layout) -> None:
    cni = layout.state / "cni"
    cni.mkdir(exist_ok=True)
    _write_json(cni / "10-stoker.conflist", _cni())
    _write(layout.state / "containerd.toml", _containerd(layout))
    # JSON is valid YAML, and needs no second library to write it.
    _write_json(layout.state / "kubelet.yaml", _kubelet(layout))
    _write_json(layout.state / "kube-proxy.yaml", _kube_proxy(layout))
    _write(layout.state / "Corefile", _corefile(layout))
    _write_json(layout.state / "prometheus.yaml", _prometheus(layout))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    _write(path, json.dumps(content, indent=1) + "\n")


def _write(path: Path, content: str) -> None:
    """kube-proxy ends when its file is written to, even if it stays the same."""
    if not path.exists() or path.read_text() != content:
        path.write_text(content)


def _cni() -> dict[str, Any]:
    # Point-to-point links rather than a bridge: every packet is routed, so Services work between pods of one
    # node whether or not the kernel shows bridged packets to netfilter.
    ranges = [[{"subnet": POD_RANGE}]]
    ipam = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
    plugins = [
        {"type": "ptp", "ipMasq": False, "ipam": ipam},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    return {"cniVersion": "1.0.0", "name": "stoker", "plugins": plugins}


def _containerd(layout: Layout) -> str:
    # runc may not lower oom_score_adj in many containers and small machines; without the restriction no pod starts.
    return f"""version = 2
root = "{layout.state}/containerd"
state = "{layout.runtime}/containerd"
[grpc]
  address = "{layout.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{layout.state}/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{BUSYBOX_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{layout.state}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def _kubelet(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.cgroup}",
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "clusterDNS": [DNS_SERVICE_IP],
        "clusterDomain": DNS_DOMAIN,
        "resolvConf": "",
        "failSwapOn": False,
        "maxPods": 250,
        "podLogsDir": str(layout.state / "pod-logs"),
        "containerLogMaxFiles": 2,
        "containerLogMaxSize": "10Mi",
        "volumePluginDir": str(layout.state / "volume-plugins"),
        "serializeImagePulls": False,
        # The disk is the developer's own and mostly full; images have no registry to come back from.
        "evictionHard": {"imagefs.available": "1%", "nodefs.available": "1%", "memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
    }


def _kube_proxy(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(layout.component_kubeconfig("kube-proxy"))},
        "mode": "iptables",
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": NODE_NAME,
        # The limits are the machine's, not this namespace's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _corefile(layout: Layout) -> str:
    return f""".:53 {{
    errors
    health {NODE_IP}:8080
    ready {NODE_IP}:8181
    kubernetes {DNS_DOMAIN} in-addr.arpa {{
        kubeconfig {layout.kubeconfig}
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""


def _prometheus(layout: Layout) -> dict[str, Any]:
    interval = f"{SCRAPE_SECONDS}s"
    job = {"job_name": "pods", "file_sd_configs": [{"files": [str(layout.scrape_targets)]}]}
    return {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": [job]}
