import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.running_cluster import RunningCluster

pytestmark = pytest.mark.e2e


def refused(*arguments: str, under: tuple[str, ...] = (), **environment: str) -> str:
    answer = subprocess.run(
        [*under, sys.executable, "-m", "e2e.cluster", *arguments],
        capture_output=True, text=True, check=False, env=os.environ | environment,
    )  # fmt: skip
    assert answer.returncode == 2, answer
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    return lines[0]


def test_an_unknown_command_is_refused() -> None:
    assert "invalid choice: 'start'" in refused("start")


def test_a_cluster_name_that_cannot_be_one_is_refused() -> None:
    assert "is no cluster name" in refused("up", "--name", "My_Cluster")


def test_a_count_that_is_none_is_refused() -> None:
    assert "'many' is no count" in refused("up", "--gpus", "many")


def test_an_unknown_component_is_refused_with_those_there_are(cluster: RunningCluster) -> None:
    line = refused("logs", "scheduler", "--name", cluster.layout.name)
    assert "'scheduler'" in line
    assert "kube-scheduler" in line


def test_exec_in_a_cluster_that_does_not_run_is_refused() -> None:
    assert "cluster no-such is not running" in refused("exec", "--name", "no-such", "--", "true")


def test_an_image_that_is_no_archive_is_refused(cluster: RunningCluster) -> None:
    assert "is no image" in refused("load-image", "/no/such/file.tar", "--name", cluster.layout.name)


def test_a_cluster_of_another_version_is_refused(cluster: RunningCluster) -> None:
    version = cluster.layout.state / "version"
    kept = version.read_text()
    version.write_text("v1.34.0")
    try:
        line = refused("up", "--name", cluster.layout.name)
    finally:
        version.write_text(kept)
    assert "was made by Kubernetes v1.34.0" in line


def test_assets_without_an_api_server_are_refused(tmp_path: Path) -> None:
    line = refused("control-plane", KUBEBUILDER_ASSETS=str(tmp_path))
    assert "lacks etcd, kube-apiserver, kubectl" in line


def test_missing_packages_are_named_with_the_command_that_installs_them() -> None:
    line = refused("up", "--name", "no-such", PATH="/nowhere")
    assert "apt-get install " in line
    assert "containerd" in line
    assert "--install" in line


def test_a_root_without_a_capability_is_told_which_one() -> None:
    line = refused("up", "--name", "no-such", under=("setpriv", "--bounding-set=-net_admin", "--"))
    assert "lacks CAP_NET_ADMIN" in line


def test_a_cache_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "STOKER_CACHE" in refused("up", STOKER_CACHE=str(tmp_path / "file"))
