"""A way to a Service through the API server, as anybody with a kubeconfig has it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.cluster.refusal import Refusal
from e2e.up.target import ROOT, Target

_OPEN = "Forwarding from 127.0.0.1:"


@contextmanager
def forwarded(target: Target, service: str) -> Iterator[str]:
    """The address on the loopback device, on a port that was free."""
    command = target.command(*target.kubectl, "port-forward", f"service/{service}", ":80")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        try:
            yield f"http://127.0.0.1:{_port_told_by(process, service)}"
        finally:
            process.terminate()


def _port_told_by(process: subprocess.Popen[str], service: str) -> int:
    said = ""
    for line in process.stdout or ():
        if line.startswith(_OPEN):
            return int(line.removeprefix(_OPEN).split()[0])
        said = line.strip()
    raise Refusal(f"kubectl port-forward service/{service}: {said or 'it ended without a word'}")
