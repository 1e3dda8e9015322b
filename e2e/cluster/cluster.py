"""Bring one named cluster up, whatever state an earlier run left, and take it down without a trace."""

import datetime as dt
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from e2e.cluster import cgroups
from e2e.cluster.binaries import ALL_BINARIES, FAKE_GPU, KUBE, Binary
from e2e.cluster.build import built
from e2e.cluster.cache import cache_folder, file_lock, require_free_disk
from e2e.cluster.cluster_pki import write_cluster_pki
from e2e.cluster.component_files import write_component_files
from e2e.cluster.components import (
    PROMETHEUS_URL,
    Component,
    Settings,
    control_plane_components,
    gpu_component,
    kwok_component,
    node_components,
)  # fmt: skip
from e2e.cluster.debian_packages import require_packages
from e2e.cluster.images import import_busybox
from e2e.cluster.kubectl import apply, create, kubectl, kubectl_ok
from e2e.cluster.layout import DNS_DOMAIN, NODE_IP, NODE_NAME, Layout
from e2e.cluster.machine import CLUSTER_DISK_GIB, CLUSTER_PACKAGES, require_root
from e2e.cluster.namespace import (
    ANCHOR,
    anchor_of,
    component_prefix,
    processes_of,
    remove_mount_points,
    run_inside,
    start_anchor,
)  # fmt: skip
from e2e.cluster.objects import base_objects, kwok_node
from e2e.cluster.processes import Record
from e2e.cluster.refusal import Refusal

STEP_SECONDS = 120
POLL_SECONDS = 0.1
KWOK_BATCH = 200


@contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"  {time.monotonic() - started:5.1f} s  {name}", flush=True)


@contextmanager
def _lock(layout: Layout) -> Iterator[None]:
    path = layout.state.with_suffix(".lock")
    with file_lock(path, f"another command works on cluster {layout.name}: waiting for it"):
        yield


@contextmanager
def _remembered(layout: Layout, settings: Settings) -> Iterator[None]:
    """The next `up` goes on with these settings, unless they are what was wrong."""
    before = layout.settings.read_text() if layout.settings.exists() else None
    layout.state.mkdir(parents=True, exist_ok=True)
    layout.settings.write_text(json.dumps(asdict(settings)))
    try:
        yield
    except Refusal:
        layout.settings.unlink() if before is None else layout.settings.write_text(before)
        raise


def kept_settings(layout: Layout) -> Settings:
    """What it was started with before, or what nobody chose yet."""
    return Settings(**json.loads(layout.settings.read_text())) if layout.settings.exists() else Settings()


def up(layout: Layout, settings: Settings, install: bool) -> None:
    require_root()
    require_packages(CLUSTER_PACKAGES, install)
    with _step("binaries"):
        if not layout.state.exists():
            require_free_disk(cache_folder(), CLUSTER_DISK_GIB, "a cluster")
        binaries = built(_wanted_binaries(settings))
    with _lock(layout), _remembered(layout, settings):
        _require_same_version(layout)
        with _step("namespaces and certificates"):
            anchor = _prepare(layout)
        with _step("API server and containerd"):
            for component in control_plane_components(layout, binaries):
                ensure(layout, anchor, component)
            _wait_for("the API server", layout, lambda: kubectl_ok(layout, "get", "--raw", "/readyz"))
            _wait_for("containerd", layout, layout.containerd_socket.exists)
        with _step("components"):
            for component in node_components(layout, binaries, settings):
                ensure(layout, anchor, component)
            _ensure_gpus(layout, anchor, binaries, settings)
            import_busybox(layout)
            apply(layout, base_objects())
        with _step("node Ready, DNS answers"):
            _wait_until_usable(layout, settings)
        if settings.kwok_nodes or processes_of(layout).alive("kwok"):
            with _step(f"{settings.kwok_nodes} kwok nodes"):
                ensure(layout, anchor, kwok_component(layout, binaries))
                _fit_kwok_nodes(layout, settings)
        _require_all_alive(layout)


def _wanted_binaries(settings: Settings) -> list[Binary]:
    return [binary for binary in ALL_BINARIES if binary is not FAKE_GPU or settings.gpus]


def _prepare(layout: Layout) -> Record:
    anchor = anchor_of(layout)
    if anchor is None:
        _clear_remains(layout)
    processes = processes_of(layout)
    for name in processes.names():
        if processes.alive(name) is None:
            processes.forget(name)
    if processes.alive("kubelet") is None:
        layout.kubelet_plugin_socket.unlink(missing_ok=True)
    for folder in (layout.state, layout.runtime, layout.logs, layout.volumes, layout.gpu_control):
        folder.mkdir(parents=True, exist_ok=True)
    (layout.state / "version").write_text(KUBE.version())
    write_cluster_pki(layout)
    write_component_files(layout)
    cgroups.create(layout.cgroup)
    return anchor or start_anchor(layout)


def _clear_remains(layout: Layout) -> None:
    """What a crash left: without its namespaces no process of the cluster is of any use."""
    cgroups.kill_members(layout.cgroup)
    cgroups.remove(layout.cgroup)
    shutil.rmtree(layout.runtime, ignore_errors=True)


def _require_same_version(layout: Layout) -> None:
    file = layout.state / "version"
    if file.exists() and (found := file.read_text()) != KUBE.version():
        raise Refusal(
            f"cluster {layout.name} was made by Kubernetes {found} and this is {KUBE.version()}: run `down` first"
        )


def ensure(layout: Layout, anchor: Record, component: Component) -> bool:
    """Started unless it runs as it should; a change of flags, of the binary or of its configuration restarts it.

    Says whether it had to be.
    """
    processes = processes_of(layout)
    command = [*component_prefix(anchor), *component.command]
    configuration = component.configuration.read_text() if component.configuration else ""
    fingerprint = hashlib.sha256(repr((command, configuration)).encode()).hexdigest()
    running = processes.alive(component.name)
    if running and running.fingerprint == fingerprint:
        return False
    processes.stop(component.name)
    log = layout.log(component.name)
    record = processes.start(component.name, command, _component_environment(), log, fingerprint)
    cgroups.adopt(layout.cgroup, record.pid)
    return True


def _ensure_gpus(layout: Layout, anchor: Record, binaries: Mapping[str, Path], settings: Settings) -> None:
    if not settings.gpus:
        processes_of(layout).stop("fake-gpu")
        return
    # A kubelet that starts empties the folder of plugins, so a plugin that is earlier has to begin again.
    _wait_for("the kubelet's socket for device plugins", layout, layout.kubelet_plugin_socket.exists)
    ensure(layout, anchor, gpu_component(layout, binaries, settings))


def _component_environment() -> dict[str, str]:
    # No proxy settings and credentials of the caller's shell in the cluster.
    return {"PATH": f"/usr/lib/cni:{os.environ.get('PATH', '')}:/usr/sbin:/sbin", "HOME": str(Path.home())}


def _wait_for(what: str, layout: Layout, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STEP_SECONDS
    while not holds():
        _require_all_alive(layout)
        if time.monotonic() > deadline:
            raise Refusal(f"no sign of {what} within {STEP_SECONDS} s: see the components' logs in {layout.logs}")
        time.sleep(POLL_SECONDS)


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1][:300] if lines else "none"


def _wait_until_usable(layout: Layout, settings: Settings) -> None:
    started = (layout.runtime / "processes" / "kubelet.json").stat().st_mtime

    def node_ready() -> bool:
        found = kubectl(layout, "get", "node", NODE_NAME, "--ignore-not-found", "--output=json")
        return bool(found) and _is_ready(json.loads(found), settings, dt.datetime.fromtimestamp(started, dt.UTC))

    def dns_answers() -> bool:
        name = f"kubernetes.default.svc.{DNS_DOMAIN}"
        return run_inside(layout, ["busybox", "nslookup", name, NODE_IP]).returncode == 0

    _wait_for(f"the node with {settings.gpus} GPUs", layout, node_ready)
    _wait_for("DNS", layout, dns_answers)

    def prometheus_ready() -> bool:
        return run_inside(layout, ["busybox", "wget", "-qO-", f"{PROMETHEUS_URL}/-/ready"]).returncode == 0

    _wait_for("Prometheus", layout, prometheus_ready)
    _wait_for("the default service account", layout, lambda: kubectl_ok(
        layout, "get", "serviceaccount", "default"))  # fmt: skip


def _require_all_alive(layout: Layout) -> None:
    processes = processes_of(layout)
    for name in processes.names():
        if processes.alive(name) is None:
            raise Refusal(f"{name} ended soon after its start; its last words: {_last_words(layout.log(name))}")


def _is_ready(node: dict[str, Any], settings: Settings, kubelet_started: dt.datetime) -> bool:
    """What an earlier kubelet said of the node counts for nothing."""
    status = node["status"]
    ready = next((found for found in status.get("conditions", []) if found["type"] == "Ready"), None)
    if ready is None or ready["status"] != "True":
        return False
    said = dt.datetime.fromisoformat(ready["lastHeartbeatTime"])
    gpus = int(status["allocatable"].get("nvidia.com/gpu", 0))
    return said >= kubelet_started.replace(microsecond=0) and gpus == settings.gpus


def _fit_kwok_nodes(layout: Layout, settings: Settings) -> None:
    nodes = {f"node/kwok-{index}": kwok_node(index, settings) for index in range(settings.kwok_nodes)}
    present = set(kubectl(layout, "get", "nodes", "--selector=type=kwok", "--output=name").split())
    if unwanted := sorted(present - nodes.keys()):
        kubectl(layout, "delete", *unwanted)
    missing = [node for name, node in nodes.items() if name not in present]
    for start in range(0, len(missing), KWOK_BATCH):
        create(layout, missing[start : start + KWOK_BATCH])
    if nodes:
        kubectl(layout, "wait", "nodes", "--selector=type=kwok", "--for=condition=Ready", f"--timeout={STEP_SECONDS}s")


def down(layout: Layout) -> bool:
    """Says whether there was anything to remove."""
    require_root()
    remains = layout.state.exists() or layout.runtime.exists() or cgroups.exists(layout.cgroup)
    if not remains:
        return False
    with _lock(layout):
        with _step("processes, namespaces and cgroups"):
            _clear_remains(layout)
        with _step("files"):
            shutil.rmtree(layout.state)
            remove_mount_points()
    layout.state.with_suffix(".lock").unlink(missing_ok=True)
    return True


def component_names(layout: Layout) -> list[str]:
    return sorted(path.stem for path in layout.logs.glob("*.log") if path.stem != ANCHOR)
