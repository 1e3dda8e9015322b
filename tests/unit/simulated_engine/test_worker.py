"""The other pods of a simulated replica: as a process, as their container runs them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[3] / "runtime-image"


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_waits_and_leaves_at_once_when_it_is_told_to(told: signal.Signals) -> None:
    command = [sys.executable, "-m", "stoker_runtime", "simulated-worker"]
    environment = os.environ | {"PYTHONPATH": str(PACKAGES)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert "waits" in worker.stdout.readline()
        assert worker.poll() is None
        worker.send_signal(told)
        assert worker.wait(timeout=5) == 0
