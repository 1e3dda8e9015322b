import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.components import PROMETHEUS_URL
from e2e.running_cluster import Namespace, pod, until

pytestmark = pytest.mark.e2e


def test_logs_and_exec_reach_a_pod(namespace: Namespace) -> None:
    namespace.apply(pod("speaker", "echo a line; sleep 100000"))
    namespace.wait_ready("speaker")
    until(lambda: namespace.kubectl("logs", "speaker") == "a line\n", "the pod's line is in its log")
    assert namespace.execute("speaker", "echo", "an answer") == "an answer\n"


@contextmanager
def _port_forward(namespace: Namespace, pod_name: str, ports: str) -> Iterator[None]:
    kubectl = [str(kubebuilder_assets() / "kubectl"), f"--kubeconfig={namespace.cluster.layout.kubeconfig}"]
    command = namespace.cluster.tool(*kubectl, f"--namespace={namespace.name}", "port-forward", pod_name, ports)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Forwarding from")
        yield
        process.terminate()


def test_port_forward_reaches_a_pod(namespace: Namespace) -> None:
    namespace.apply(pod("web", "mkdir /tmp/www; echo hello > /tmp/www/index.html; httpd -f -p 8000 -h /tmp/www"))
    namespace.wait_ready("web")
    with _port_forward(namespace, "web", "18000:8000"):
        answer = namespace.cluster.run("busybox", "wget", "-qO-", "http://127.0.0.1:18000/")
    assert answer.stdout == "hello\n"


def test_a_pod_has_its_prestop_and_its_grace_period(namespace: Namespace) -> None:
    # The hook takes 2 s and the process 2 s more after SIGTERM: both fit into the grace period of 20 s.
    script = "trap 'sleep 2; echo left in order > /log/end; exit 0' TERM; while :; do sleep 0.1; done"
    hook = {"exec": {"command": ["sh", "-c", "sleep 2; echo hook > /log/hook"]}}
    folder = namespace.cluster.layout.state / "test-grace"
    folder.mkdir(exist_ok=True)
    container = {
        "command": ["sh", "-c", script],
        "lifecycle": {"preStop": hook},
        "volumeMounts": [{"name": "log", "mountPath": "/log"}],
    }
    volumes = [{"name": "log", "hostPath": {"path": str(folder)}}]
    namespace.apply(pod("polite", container=container, volumes=volumes, terminationGracePeriodSeconds=20))
    namespace.wait_ready("polite")
    started = time.monotonic()
    namespace.kubectl("delete", "pod", "polite")
    assert 3.5 < time.monotonic() - started < 15
    assert (folder / "hook").read_text() == "hook\n"
    assert (folder / "end").read_text() == "left in order\n"


def test_a_pod_that_ignores_sigterm_is_killed_after_its_grace_period(namespace: Namespace) -> None:
    stubborn = {"command": ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]}
    namespace.apply(pod("stubborn", container=stubborn, terminationGracePeriodSeconds=3))
    namespace.wait_ready("stubborn")
    started = time.monotonic()
    namespace.kubectl("delete", "pod", "stubborn")
    assert 2.5 < time.monotonic() - started < 10


def test_prometheus_scrapes_a_pod_that_asks_by_annotation(namespace: Namespace) -> None:
    script = "mkdir /tmp/www; echo 'queue_length 7' > /tmp/www/load; httpd -f -p 8000 -h /tmp/www"
    asked = {"stoker.dev/scrape": "true", "stoker.dev/port": "8000", "stoker.dev/path": "/load"}
    namespace.apply(pod("measured", script, annotations=asked))
    namespace.wait_ready("measured")
    query = quote(f'queue_length{{namespace="{namespace.name}",pod="measured",app="measured"}}')

    def measured() -> bool:
        url = f"{PROMETHEUS_URL}/api/v1/query?query={query}"
        return '"7"' in namespace.cluster.run("busybox", "wget", "-qO-", url).stdout

    until(measured, "Prometheus has the pod's value")
