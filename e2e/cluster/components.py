"""The components of a cluster: what each one is started with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.layout import (
    API_SERVICE_IP,
    DNS_DOMAIN,
    FAKE_POD_RANGE,
    NODE_IP,
    NODE_NAME,
    POD_RANGE,
    SERVICE_RANGE,
    Layout,
)  # fmt: skip

API_URL = f"https://{NODE_IP}:6443"
ETCD_URL = "http://127.0.0.1:2379"
ETCD_PEER_URL = "http://127.0.0.1:2380"
PROMETHEUS_URL = f"http://{NODE_IP}:9090"
# A fleet of thousands of pods is made in minutes rather than hours.
CLIENT_RATE = ["--kube-api-qps=300", "--kube-api-burst=600"]


@dataclass(frozen=True)
class Settings:
    """What the user chose on `up`; kept with the cluster, so that a later `up` without flags keeps it."""

    gpus: int = 4
    gpu_product: str = "NVIDIA-L4"
    kwok_nodes: int = 0
    kwok_gpus: int = 8


@dataclass(frozen=True)
class Component:
    name: str
    command: list[str]
    configuration: Path | None = None  # restarted when it changes


def control_plane_components(layout: Layout, binaries: Mapping[str, Path]) -> list[Component]:
    kube = binaries["kube"]
    containerd_file = layout.state / "containerd.toml"
    return [
        Component("etcd", [f"{kube}/etcd", *_etcd(layout)]),
        Component("kube-apiserver", [f"{kube}/kube-apiserver", *_apiserver(layout)]),
        Component("containerd", ["containerd", f"--config={containerd_file}"], containerd_file),
    ]


def node_components(layout: Layout, binaries: Mapping[str, Path], settings: Settings) -> list[Component]:
    """Those that need the API server."""
    kube = binaries["kube"]
    corefile = layout.state / "Corefile"
    proxy_file = layout.state / "kube-proxy.yaml"
    kubelet = [
        f"--config={layout.state}/kubelet.yaml",
        f"--kubeconfig={layout.component_kubeconfig('kubelet')}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_IP}",
    ]
    return [
        Component(
            "kube-controller-manager", [f"{kube}/kube-controller-manager", *_controller_manager(layout, settings)]
        ),
        Component("kube-scheduler", [f"{kube}/kube-scheduler", *_clients(layout, "kube-scheduler"), *CLIENT_RATE]),
        Component("kubelet", [f"{kube}/kubelet", *kubelet], layout.state / "kubelet.yaml"),
        Component("kube-proxy", [f"{kube}/kube-proxy", f"--config={proxy_file}"], proxy_file),
        Component("coredns", [f"{binaries['coredns']}/coredns", "-conf", str(corefile)], corefile),
        Component("provisioner", [
            f"{binaries['provisioner']}/provisioner", f"--kubeconfig={layout.kubeconfig}", f"--folder={layout.volumes}",
        ]),
        Component("scrape-targets", [
            f"{binaries['scrape-targets']}/scrape-targets", f"--kubeconfig={layout.kubeconfig}",
            f"--node={NODE_NAME}", f"--output={layout.scrape_targets}",
        ]),
        Component("prometheus", [
            "prometheus", f"--config.file={layout.state}/prometheus.yaml",
            f"--storage.tsdb.path={layout.state}/prometheus", "--storage.tsdb.retention.size=512MB",
            f"--web.listen-address={NODE_IP}:9090",
        ], layout.state / "prometheus.yaml"),
    ]  # fmt: skip


def gpu_component(layout: Layout, binaries: Mapping[str, Path], settings: Settings) -> Component:
    return Component("fake-gpu", [
        f"{binaries['fake-gpu']}/fake-gpu", "--plugin-dir=/var/lib/kubelet/device-plugins",
        f"--resource=nvidia.com/gpu={settings.gpus}", f"--product={settings.gpu_product}",
        f"--node-name={NODE_NAME}", f"--kubeconfig={layout.kubeconfig}", f"--control-dir={layout.gpu_control}",
    ])  # fmt: skip


def kwok_component(layout: Layout, binaries: Mapping[str, Path]) -> Component:
    return Component("kwok", [
        f"{binaries['kwok']}/kwok", f"--kubeconfig={layout.kubeconfig}", f"--config={binaries['kwok']}/stages.yaml",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", f"--cidr={FAKE_POD_RANGE}",
    ])  # fmt: skip


def _etcd(layout: Layout) -> list[str]:
    return [
        f"--data-dir={layout.state}/etcd", "--unsafe-no-fsync", "--log-level=warn",
        f"--listen-client-urls={ETCD_URL}", f"--advertise-client-urls={ETCD_URL}",
        f"--listen-peer-urls={ETCD_PEER_URL}", f"--initial-advertise-peer-urls={ETCD_PEER_URL}",
        f"--initial-cluster=default={ETCD_PEER_URL}",
        "--quota-backend-bytes=4294967296", "--auto-compaction-mode=periodic", "--auto-compaction-retention=10m",
    ]  # fmt: skip


def _apiserver(layout: Layout) -> list[str]:
    pki = layout.pki
    return [
        f"--etcd-servers={ETCD_URL}", "--secure-port=6443", f"--advertise-address={NODE_IP}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/kube-apiserver.crt", f"--tls-private-key-file={pki}/kube-apiserver.key",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key", f"--kubelet-certificate-authority={pki}/ca.crt",
        # By name first, it would look up the node's name for every `kubectl logs`.
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer=https://kubernetes.default.svc.{DNS_DOMAIN}",
        f"--service-account-key-file={pki}/service-accounts.pub",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        f"--requestheader-client-ca-file={pki}/ca.crt", "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki}/front-proxy.crt", f"--proxy-client-key-file={pki}/front-proxy.key",
        # Watchers keep a quick restart waiting; nothing here is worth a minute.
        "--shutdown-watch-termination-grace-period=0s",
    ]  # fmt: skip


def _controller_manager(layout: Layout, settings: Settings) -> list[str]:
    pki = layout.pki
    # Nodes that exist in the API alone send no heartbeats: each would be given up after this time, its pods with it.
    patience = ["--node-monitor-grace-period=24h"] if settings.kwok_nodes else []
    return [
        *_clients(layout, "kube-controller-manager"), *CLIENT_RATE, "--use-service-account-credentials",
        f"--service-account-private-key-file={pki}/service-accounts.key", f"--root-ca-file={pki}/ca.crt",
        f"--cluster-signing-cert-file={pki}/ca.crt", f"--cluster-signing-key-file={pki}/ca.key",
        f"--cluster-cidr={POD_RANGE}", "--allocate-node-cidrs=false", *patience,
    ]  # fmt: skip


def _clients(layout: Layout, component: str) -> list[str]:
    kubeconfig = layout.component_kubeconfig(component)
    return [
        f"--kubeconfig={kubeconfig}", f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}", "--leader-elect=false",
    ]  # fmt: skip


API_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{DNS_DOMAIN}",
)
API_ADDRESSES = ("127.0.0.1", API_SERVICE_IP, NODE_IP)
