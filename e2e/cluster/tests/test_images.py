import subprocess
import sys

import pytest

from e2e.running_cluster import RunningCluster

pytestmark = pytest.mark.e2e


def test_an_image_is_imported_once(cluster: RunningCluster) -> None:
    archive = str(cluster.layout.state / "busybox.tar")
    command = [sys.executable, "-m", "e2e.cluster", "load-image", archive, "--name", cluster.layout.name]
    answers = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert ["already there" in answer for answer in answers] == [False, True]
