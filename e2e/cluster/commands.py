"""What each command of the command line does."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from e2e.cluster import cgroups, cluster, images
from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.binaries import ALL_BINARIES, HELM, KSTATUS, KUBE
from e2e.cluster.build import built
from e2e.cluster.components import PROMETHEUS_URL, Settings
from e2e.cluster.control_plane import control_plane
from e2e.cluster.debian_packages import require_packages
from e2e.cluster.layout import Layout, known_names, layout_of
from e2e.cluster.machine import CLUSTER_PACKAGES, require_root
from e2e.cluster.namespace import anchor_of, processes_of, tool_prefix
from e2e.cluster.refusal import Refusal
from e2e.images.build import IMAGE_PACKAGES


def build(options: argparse.Namespace) -> int:
    known = {binary.name: binary for binary in (*ALL_BINARIES, KSTATUS)}
    if unknown := sorted(set(options.binaries) - known.keys()):
        raise Refusal(f"no binary {', '.join(unknown)}: choose of {', '.join(sorted(known))}")
    wanted = [known[name] for name in options.binaries] or ALL_BINARIES
    for name, folder in built(wanted).items():
        print(f"{name}: {folder / name}")
    return 0


def packages(options: argparse.Namespace) -> int:
    require_packages({**CLUSTER_PACKAGES, **IMAGE_PACKAGES}, options.install)
    return 0


def assets(_: argparse.Namespace) -> int:
    # Whoever reads the path from stdout must not read the progress of a build.
    with redirect_stdout(sys.stderr):
        folder = kubebuilder_assets()
    print(folder)
    return 0


def run_control_plane(options: argparse.Namespace) -> int:
    with redirect_stdout(sys.stderr):
        folder = kubebuilder_assets()
    signal.signal(signal.SIGTERM, _interrupt)
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    with (
        tempfile.TemporaryDirectory(prefix="stoker-control-plane-") as state,
        control_plane(folder, Path(state), options.controllers) as api,
    ):
        signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
        print(f"export KUBECONFIG={api.kubeconfig} KUBEBUILDER_ASSETS={folder}", flush=True)
        signal.sigwait(stop_signals)
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def up(options: argparse.Namespace) -> int:
    layout = layout_of(options.name)
    cluster.up(layout, _settings(layout, options), options.install)
    own_name = "" if options.name == "stoker" else f" --name {options.name}"
    print(f"cluster {layout.name} is ready; its network is its own, so enter it to use it:")
    print(f"  python -m e2e.cluster exec{own_name} -- kubectl get nodes")
    print(f"  kubeconfig: {layout.kubeconfig}   Prometheus: {PROMETHEUS_URL}")
    return 0


def _settings(layout: Layout, options: argparse.Namespace) -> Settings:
    """Flags win over what the cluster was started with before."""
    chosen = {name: value for name in Settings.__match_args__ if (value := getattr(options, name)) is not None}
    return replace(cluster.kept_settings(layout), **chosen)


def down(options: argparse.Namespace) -> int:
    layout = layout_of(options.name)
    if cluster.down(layout):
        print(f"cluster {layout.name} is gone")
    else:
        print(f"no cluster {layout.name}: nothing to do")
    return 0


def status(options: argparse.Namespace) -> int:
    """Exit code 0 only if everything that was started runs."""
    layout = layout_of(options.name)
    if not layout.state.exists():
        print(f"no cluster {layout.name}; there are: {', '.join(known_names()) or 'none'}")
        return 1
    processes = processes_of(layout)
    complete = anchor_of(layout) is not None
    count = len(cgroups.members(layout.cgroup))
    print(f"cluster {layout.name}: {'running' if complete else 'stopped'}, {count} processes")
    for name in processes.names():
        record = processes.alive(name)
        complete = complete and record is not None
        print(f"  {name:24} {f'pid {record.pid}' if record else 'ended; see `logs ' + name + '`'}")
    return 0 if complete else 1


def execute(options: argparse.Namespace) -> int:
    require_root()
    layout = layout_of(options.name)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise Refusal("exec needs a command: python -m e2e.cluster exec -- kubectl get nodes")
    prefix = tool_prefix(layout)
    tools = built([KUBE, HELM])
    # `stoker` is beside the Python that runs this.
    path = f"{tools['kube']}:{tools['helm']}:{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    environment = os.environ | {"KUBECONFIG": str(layout.kubeconfig), "PATH": path}
    os.execvpe(prefix[0], [*prefix, *command], environment)  # noqa: S606


def load_image(options: argparse.Namespace) -> int:
    require_root()
    done = images.load_image(layout_of(options.name), options.image)
    print(f"{options.image}: {'imported' if done else 'already there'}")
    return 0


def logs(options: argparse.Namespace) -> int:
    layout = layout_of(options.name)
    log = layout.log(options.component)
    if not log.exists():
        known = ", ".join(cluster.component_names(layout)) or f"none, since there is no cluster {layout.name}"
        raise Refusal(f"no component {options.component!r} with a log; there are: {known}")
    with log.open("rb") as lines:
        shutil.copyfileobj(lines, sys.stdout.buffer)
    return 0
