import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.control_plane import ControlPlane, control_plane
from e2e.running_cluster import until

pytestmark = pytest.mark.e2e

READY_SECONDS = 10


def kubectl(api: ControlPlane, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(kubebuilder_assets() / "kubectl"), f"--kubeconfig={api.kubeconfig}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _children_of(state: Path) -> list[int]:
    """Processes whose command line names the state folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if any(str(state) in part for part in command) and "python" not in command[0]:
                found.append(int(entry.name))
    return found


def test_it_is_ready_in_time_and_leaves_no_process(tmp_path: Path, figure: Callable[[str, float], None]) -> None:
    assets = kubebuilder_assets()
    started = time.monotonic()
    with control_plane(assets, tmp_path) as api:
        took_seconds = time.monotonic() - started
        figure("etcd and kube-apiserver on loopback, until ready", took_seconds)
        assert took_seconds < READY_SECONDS
        assert kubectl(api, "get", "namespace", "default").returncode == 0
        assert len(_children_of(tmp_path)) == 2
    assert _children_of(tmp_path) == []


def test_permissions_are_real(tmp_path: Path) -> None:
    with control_plane(kubebuilder_assets(), tmp_path) as api:
        assert kubectl(api, "auth", "can-i", "delete", "pods").stdout == "yes\n"
        refused = kubectl(api, "get", "secrets", "--as=system:serviceaccount:default:stoker")
    assert "forbidden" in refused.stderr


def test_with_controllers_a_deployment_becomes_pods(tmp_path: Path) -> None:
    with control_plane(kubebuilder_assets(), tmp_path, controllers=True) as api:
        until(lambda: kubectl(api, "get", "serviceaccount", "default").returncode == 0, "the account is there")
        assert kubectl(api, "create", "deployment", "web", "--image=none", "--replicas=3").returncode == 0

        def pods() -> int:
            return len(json.loads(kubectl(api, "get", "pods", "--output=json").stdout)["items"])

        until(lambda: pods() == 3, "three pods")


def test_two_at_once_keep_out_of_each_others_way(tmp_path: Path) -> None:
    assets = kubebuilder_assets()
    with control_plane(assets, tmp_path / "a") as first, control_plane(assets, tmp_path / "b") as second:
        assert kubectl(first, "create", "configmap", "only-here").returncode == 0
        assert kubectl(second, "get", "configmap", "only-here").returncode == 1


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from e2e.cluster.assets import kubebuilder_assets;"
        "from e2e.cluster.control_plane import control_plane\n"
        "with control_plane(kubebuilder_assets(), Path(sys.argv[1])): print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        assert len(_children_of(tmp_path)) == 2
        parent.send_signal(signal.SIGKILL)
    until(lambda: _children_of(tmp_path) == [], "both are gone")


def test_the_command_prints_what_a_shell_needs_and_ends_on_a_signal() -> None:
    command = [sys.executable, "-m", "e2e.cluster", "control-plane"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        words = dict(word.split("=") for word in running.stdout.readline().split()[1:])
        assert Path(words["KUBECONFIG"]).exists()
        assert Path(words["KUBEBUILDER_ASSETS"], "kube-apiserver").exists()
        running.terminate()
        assert running.wait(10) == 0
    assert not Path(words["KUBECONFIG"]).exists()
