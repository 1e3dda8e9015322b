"""What the machine must bring before a cluster can start: one clear line when it does not."""

import os
import shutil
import subprocess
from pathlib import Path

from e2e.cluster.refusal import Refusal

CLUSTER_DISK_GIB = 20
CAPABILITIES = {"net_admin": 12, "sys_chroot": 18, "sys_admin": 21, "mknod": 27}
PACKAGE_OF = {
    "containerd": "containerd",
    "ctr": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "prometheus": "prometheus",
    "ip": "iproute2",
    "mount": "mount",
    "nsenter": "util-linux",
    "busybox": "busybox-static",
}
POLICY = Path("/usr/sbin/policy-rc.d")


def require_root() -> None:
    if os.geteuid() != 0:
        raise Refusal("a cluster with a node needs root: run it with sudo, or use `control-plane`, which does not")
    status = Path("/proc/self/status").read_text()
    effective = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), 16)
    missing = [f"CAP_{name.upper()}" for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    if missing:
        raise Refusal(f"this root lacks {', '.join(missing)}: run it on a machine or in a privileged container")
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        raise Refusal("the kernel has no overlay file system: load it with `modprobe overlay`")


def missing_packages() -> list[str]:
    return sorted({package for tool, package in PACKAGE_OF.items() if shutil.which(tool, path=_path()) is None})


def require_packages(install: bool) -> None:
    missing = missing_packages()
    if not missing:
        return
    if not install:
        raise Refusal(f"missing packages: install them with `apt-get install {' '.join(missing)}`, or add --install")
    if shutil.which("apt-get") is None:
        raise Refusal(f"--install needs apt-get, which is not here: install {' '.join(missing)} by other means")
    print(f"installing {' '.join(missing)}", flush=True)
    _apt_install(missing)
    if still := missing_packages():
        raise Refusal(f"apt-get installed them, and still missing: {' '.join(still)}")


def _apt_install(packages: list[str]) -> None:
    # Debian starts the services it installs; the cluster runs its own containerd and Prometheus.
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    finally:
        if ours:
            POLICY.unlink()
    if answer.returncode != 0:
        words = answer.stderr.strip().splitlines() or ["nothing said"]
        raise Refusal(f"apt-get install {' '.join(packages)} failed: {words[-1]}; perhaps `apt-get update` is due")


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
