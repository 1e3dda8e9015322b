"""What the machine must bring before a cluster can start: one clear line when it does not."""

import os
from pathlib import Path

from e2e.cluster.refusal import Refusal

CLUSTER_DISK_GIB = 20
CAPABILITIES = {"net_admin": 12, "sys_chroot": 18, "sys_admin": 21, "mknod": 27}
CLUSTER_PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "iptables": "iptables",
    "prometheus": "prometheus",
    "ip": "iproute2",
    "mount": "mount",
    "nsenter": "util-linux",
    "busybox": "busybox-static",
}


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
