"""Where one named cluster keeps what. Clusters share no folder, namespace or cgroup, so they run side by side."""

import re
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.cache import cache_folder
from e2e.cluster.refusal import Refusal

RUNTIME_ROOT = Path("/run/stoker-e2e")
DEFAULT_NAME = "stoker"
NODE_NAME = "node-1"
# Each cluster has a network namespace to itself, so all use the same addresses, in space that routes nowhere.
NODE_IP = "100.82.0.1"
POD_RANGE = "100.80.0.0/17"
FAKE_POD_RANGE = "100.80.128.0/17"
SERVICE_RANGE = "100.81.0.0/16"
API_SERVICE_IP = "100.81.0.1"
DNS_SERVICE_IP = "100.81.0.10"
DNS_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Layout:
    name: str
    state: Path  # on disk: survives a crash, removed by `down`
    runtime: Path  # sockets and records of processes: a short path, since socket paths are limited to 107 bytes

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def volumes(self) -> Path:
        return self.state / "volumes"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def resolv_conf(self) -> Path:
        return self.state / "resolv.conf"

    @property
    def gpu_control(self) -> Path:
        return self.state / "gpu-control"

    @property
    def settings(self) -> Path:
        return self.state / "settings.json"

    @property
    def scrape_targets(self) -> Path:
        return self.state / "scrape-targets.json"

    @property
    def kubelet_plugin_socket(self) -> Path:
        return self.state / "kubelet" / "device-plugins" / "kubelet.sock"

    @property
    def containerd_socket(self) -> Path:
        return self.runtime / "containerd.sock"

    @property
    def cgroup(self) -> str:
        return f"stoker-e2e-{self.name}"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"

    def component_kubeconfig(self, component: str) -> Path:
        return self.pki / f"{component}.kubeconfig"


def layout_of(name: str) -> Layout:
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,22}[a-z0-9])?", name):
        raise Refusal(f"--name {name!r} is no cluster name: use up to 24 lower-case letters, digits and dashes")
    return Layout(name, cache_folder().absolute() / "clusters" / name, RUNTIME_ROOT / name)


def known_names() -> list[str]:
    folders = [cache_folder() / "clusters", RUNTIME_ROOT]
    return sorted({path.name for folder in folders if folder.exists() for path in folder.iterdir() if path.is_dir()})
