"""etcd and kube-apiserver on loopback, for tests that need the real API and no nodes. Needs no root."""

import http.client
import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.components import CLIENT_RATE
from e2e.cluster.free_ports import free_ports
from e2e.cluster.kubeconfig import write_kubeconfig
from e2e.cluster.pki import Authority, KeyPair, new_authority, write_service_account_keys
from e2e.cluster.refusal import Refusal

READY_SECONDS = 60
STOP_SECONDS = 3
ATTEMPTS = 3
# A sixth of what an API server did for tests was to look for garbage.
_MEMORY = {"GOGC": "400"}


@dataclass(frozen=True)
class ControlPlane:
    url: str
    kubeconfig: Path
    ca_file: Path
    client_cert: Path
    client_key: Path
    outage: Callable[[], AbstractContextManager[None]]
    """For as long as it lasts the API server is dead; then it is back with all that was stored."""


@dataclass(frozen=True)
class _Ports:
    api: int
    etcd: int
    etcd_peer: int


class _AddressTaken(Exception):  # noqa: N818 - handled here by another try
    pass


@contextmanager
def control_plane(
    assets: Path, state: Path, controllers: bool = False, *, apiserver_flags: Sequence[str] = ()
) -> Iterator[ControlPlane]:
    """Run it for the length of the `with` block; the processes die with this one however it ends."""
    state.mkdir(parents=True, exist_ok=True)
    running: list[subprocess.Popen[bytes]] = []
    try:
        yield _start_on_free_ports(assets, state, controllers, apiserver_flags, running)
    finally:
        _stop(running)


def _start_on_free_ports(
    assets: Path, state: Path, controllers: bool, flags: Sequence[str], running: list[subprocess.Popen[bytes]]
) -> ControlPlane:
    for _ in range(ATTEMPTS):
        try:
            return _start(assets, state, controllers, flags, running)
        except _AddressTaken:
            _stop(running)
    raise Refusal(f"the ports picked for the control plane were taken {ATTEMPTS} times; see the logs in {state}")


def _start(
    assets: Path, state: Path, controllers: bool, flags: Sequence[str], running: list[subprocess.Popen[bytes]]
) -> ControlPlane:
    ports = _Ports(*free_ports(3))
    authority = new_authority(state / "pki")
    accounts = write_service_account_keys(state / "pki")
    serving = authority.issue(
        "apiserver", "kube-apiserver", dns=("localhost", "kubernetes.default.svc"), ips=("127.0.0.1",)
    )
    admin = authority.issue("admin", "admin", group="system:masters")
    url = f"https://127.0.0.1:{ports.api}"
    kubeconfig = write_kubeconfig(state / "kubeconfig", url, authority.certificate_file, admin, "stoker-control-plane")

    def start(name: str, arguments: list[str]) -> None:
        running.append(_spawn(assets, name, arguments, state / f"{name}.log"))

    @contextmanager
    def outage() -> Iterator[None]:
        place = running.index(api_server)
        api_server.kill()
        api_server.wait()
        try:
            yield
        finally:
            running[place] = _spawn(assets, "kube-apiserver", of_api_server, state / "kube-apiserver-again.log")
            _wait_ready(api, running, state)

    of_api_server = [*_apiserver_arguments(authority, accounts, serving, ports, controllers), *flags]
    start("etcd", _etcd_arguments(state / "etcd", ports))
    start("kube-apiserver", of_api_server)
    api_server = running[-1]
    api = ControlPlane(url, kubeconfig, authority.certificate_file, admin.certificate_file, admin.key_file, outage)
    _wait_ready(api, running, state)
    if controllers:
        client = ["--kubeconfig", str(kubeconfig), "--leader-elect=false", "--secure-port=0", *CLIENT_RATE]
        start("kube-controller-manager", [*client, *_controller_arguments(authority, accounts)])
        start("kube-scheduler", client)
    return api


def _etcd_arguments(data: Path, ports: _Ports) -> list[str]:
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    return [
        "--data-dir", str(data), "--unsafe-no-fsync", "--log-level=warn",
        "--listen-client-urls", client, "--advertise-client-urls", client,
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
    ]  # fmt: skip


def _apiserver_arguments(
    authority: Authority, accounts: KeyPair, serving: KeyPair, ports: _Ports, controllers: bool
) -> list[str]:
    arguments = [
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1", f"--secure-port={ports.api}", "--service-cluster-ip-range=10.0.0.0/24",
        # There is no address under which pods could reach it, and loopback is refused as an endpoint.
        "--endpoint-reconciler-type=none",
        "--authorization-mode=RBAC", "--allow-privileged",
        f"--client-ca-file={authority.certificate_file}",
        f"--tls-cert-file={serving.certificate_file}", f"--tls-private-key-file={serving.key_file}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={accounts.certificate_file}",
        f"--service-account-signing-key-file={accounts.key_file}",
    ]  # fmt: skip
    # Nobody makes the default service accounts without controllers, so no pod could be created.
    return arguments if controllers else [*arguments, "--disable-admission-plugins=ServiceAccount"]


def _controller_arguments(authority: Authority, accounts: KeyPair) -> list[str]:
    return [
        "--use-service-account-credentials",
        f"--service-account-private-key-file={accounts.key_file}",
        f"--root-ca-file={authority.certificate_file}",
        # A claim that is made before its volume is seen would wait 15 s for the next look.
        "--pvclaimbinder-sync-period=1s",
    ]


def _spawn(assets: Path, name: str, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    executable = assets / name
    if not executable.exists():
        raise Refusal(f"{assets} has no {name}: unset KUBEBUILDER_ASSETS to use the one that is built here")
    with log.open("wb") as output:
        # setpriv has the kernel kill the process when this one dies, however it dies.
        return subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "--", executable, *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=os.environ | _MEMORY,
        )  # fmt: skip


def _wait_ready(api: ControlPlane, running: list[subprocess.Popen[bytes]], state: Path) -> None:
    context = ssl.create_default_context(cafile=str(api.ca_file))
    context.load_cert_chain(api.client_cert, api.client_key)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in running):
            logs = "".join(path.read_text(errors="replace") for path in state.glob("*.log"))
            if "address already in use" in logs:
                raise _AddressTaken
            raise Refusal(f"the control plane died at once; see the logs in {state}")
        if _answers_ready(api.url, context):
            return
        time.sleep(0.05)
    raise Refusal(f"the control plane is not ready after {READY_SECONDS} s; see the logs in {state}")


def _answers_ready(url: str, context: ssl.SSLContext) -> bool:
    connection = http.client.HTTPSConnection(url.removeprefix("https://"), context=context, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(running: list[subprocess.Popen[bytes]]) -> None:
    """Last started goes first, so that none complains of a missing API or store."""
    while running:
        process = running.pop()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
