"""The network and mount namespaces of a cluster, held open by one process, the anchor."""

import os
import shutil
import subprocess
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from e2e.cluster import cgroups
from e2e.cluster.cache import file_lock
from e2e.cluster.layout import DNS_DOMAIN, DNS_SERVICE_IP, NODE_IP, RUNTIME_ROOT, Layout
from e2e.cluster.processes import ProcessTable, Record
from e2e.cluster.refusal import Refusal

ANCHOR = "anchor"
ANCHOR_SECONDS = 10
# Mount points that must exist on the machine; what the cluster keeps there is never visible outside of it.
MOUNT_POINTS = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/containers")


def processes_of(layout: Layout) -> ProcessTable:
    return ProcessTable(layout.runtime / "processes")


def anchor_of(layout: Layout) -> Record | None:
    return processes_of(layout).alive(ANCHOR)


def require_anchor(layout: Layout) -> Record:
    anchor = anchor_of(layout)
    if anchor is None:
        raise Refusal(f"cluster {layout.name} is not running: start it with `up --name {layout.name}`")
    return anchor


def start_anchor(layout: Layout) -> Record:
    for name in ("kubelet/device-plugins", "cni-state", "container-logs"):
        (layout.state / name).mkdir(parents=True, exist_ok=True)
    layout.resolv_conf.write_text(
        f"nameserver {DNS_SERVICE_IP}\nsearch default.svc.{DNS_DOMAIN} svc.{DNS_DOMAIN} {DNS_DOMAIN}\noptions ndots:5\n"
    )
    with _mount_point_lock():
        for folder in MOUNT_POINTS:
            Path(folder).mkdir(parents=True, exist_ok=True)
        return _start_anchor(layout)


def _start_anchor(layout: Layout) -> Record:
    ready = layout.state / "anchor-ready"
    ready.unlink(missing_ok=True)
    log = layout.log(ANCHOR)
    environment = os.environ | {
        "STATE": str(layout.state), "RUNTIME": str(layout.runtime), "NODE_IP": NODE_IP, "READY": str(ready),
    }  # fmt: skip
    script = Path(__file__).with_name("anchor.sh")
    command = ["unshare", "--net", "--mount", "--propagation", "private", "--", "sh", str(script)]
    anchor = processes_of(layout).start(ANCHOR, command, environment, log)
    cgroups.adopt(layout.cgroup, anchor.pid)
    deadline = time.monotonic() + ANCHOR_SECONDS
    while not ready.exists():
        if not anchor.alive() or time.monotonic() > deadline:
            words = log.read_text(errors="replace").strip().splitlines() or ["nothing said"]
            raise Refusal(f"cannot set up the namespaces: {words[-1]}")
        time.sleep(0.01)
    return anchor


def remove_mount_points() -> None:
    """With the last cluster, and where they hold nothing of the machine's."""
    with _mount_point_lock():
        if any(path.is_dir() for path in RUNTIME_ROOT.iterdir()):
            # Removing a folder silently unmounts what other namespaces have on it.
            return
        for folder in MOUNT_POINTS:
            with suppress(OSError):
                Path(folder).rmdir()
    shutil.rmtree(RUNTIME_ROOT)


def _mount_point_lock() -> AbstractContextManager[None]:
    return file_lock(RUNTIME_ROOT / "mount-points.lock", "another cluster starts or ends: waiting for it")


def component_prefix(anchor: Record) -> list[str]:
    # Not `ip netns exec`: that mounts /sys anew, without the cgroups.
    return ["nsenter", f"--net=/proc/{anchor.pid}/ns/net", f"--mount=/proc/{anchor.pid}/ns/mnt", "--"]


def tool_prefix(layout: Layout) -> list[str]:
    """For anything that wants to reach the cluster: its network and DNS, but the machine's own files."""
    anchor = require_anchor(layout)
    bind = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
    return [
        "nsenter", f"--net=/proc/{anchor.pid}/ns/net", "--",
        "unshare", "--mount", "--propagation", "private", "--", "sh", "-c", bind, str(layout.resolv_conf),
    ]  # fmt: skip


def run_inside(layout: Layout, command: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    anchor = require_anchor(layout)
    prefix = ["nsenter", f"--net=/proc/{anchor.pid}/ns/net", "--"]
    return subprocess.run([*prefix, *command], input=stdin, capture_output=True, text=True, check=False)
