"""HTTPS: only certificates that are trusted, by a bundle that the pod is given."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster.pki import new_authority
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import Request
from stoker_runtime.fetch.web import HttpWeb
from tests.beside import answering
from tests.unit.fetch.origin import Origin
from tests.unit.fetch.runs import QUICK

HOST = "models.inner"
IMPATIENT = replace(QUICK, patience_seconds=0.3)


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Origin]:
    """By a certificate of the authority in ca.crt."""
    pair = new_authority(tmp_path).issue("origin", HOST, dns=(HOST,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate_file, pair.key_file)
    origin = Origin({"a": b"content" * 50_000})
    origin.socket = context.wrap_socket(origin.socket, server_side=True)
    with origin, answering(origin):
        yield origin


class _Tunnel(socketserver.BaseRequestHandler):
    """A proxy that knows one place, whatever it is asked for."""

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.request.recv(1)
        heads.append(head.decode())
        if refusal:
            self.request.sendall(refusal[0])
            return
        with socket.create_connection(("127.0.0.1", behind[0])) as far:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self._pass, args=(far, self.request), daemon=True)
            back.start()
            self._pass(self.request, far)
            back.join()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return


heads: list[str] = []
behind: list[int] = []
refusal: list[bytes] = []


@pytest.fixture
def proxy(secured: Origin) -> Iterator[str]:
    heads.clear()
    behind[:], refusal[:] = [secured.server_port], []
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tunnel)
    server.daemon_threads, server.block_on_close = True, False
    with server, answering(server):
        yield f"http://me:secret@127.0.0.1:{server.server_address[1]}"


def asked(origin: Origin, environment: dict[str, str]) -> bytes:
    web = HttpWeb(frozenset({HOST}), times=IMPATIENT, environment=environment, resolve=lambda *_: ["127.0.0.1"])
    try:
        return web.ask(Request(f"https://{HOST}:{origin.server_port}/a")).body
    finally:
        web.close()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_says_whom_to_trust(secured: Origin, tmp_path: Path, variable: str) -> None:
    assert asked(secured, {variable: str(tmp_path / "ca.crt")}) == b"content" * 50_000


def test_a_certificate_that_is_not_trusted_is_told_at_once(secured: Origin) -> None:
    with pytest.raises(WeightsError, match="SSL_CERT_FILE") as raised:
        asked(secured, {})
    assert raised.value.reason == Reason.UNREACHABLE


def test_a_bundle_that_cannot_be_read_is_named(secured: Origin, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read as certificates"):
        asked(secured, {"SSL_CERT_FILE": str(tmp_path / "absent.pem")})


def test_through_a_proxy_the_certificate_is_still_the_hosts_own(secured: Origin, tmp_path: Path, proxy: str) -> None:
    trusting = {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(tmp_path / "ca.crt")}
    assert asked(secured, trusting) == b"content" * 50_000
    assert heads[0].startswith(f"CONNECT {HOST}:{secured.server_port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic " in heads[0]
    with pytest.raises(WeightsError, match="not trusted"):
        asked(secured, {"HTTPS_PROXY": proxy})


def test_a_proxy_that_refuses_is_named_without_its_password(secured: Origin, proxy: str) -> None:
    refusal.append(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    with pytest.raises(WeightsError, match=r"the proxy 127\.0\.0\.1:\d+ answers 407") as raised:
        asked(secured, {"HTTPS_PROXY": proxy})
    assert "secret" not in raised.value.message
