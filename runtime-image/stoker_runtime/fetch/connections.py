"""Connections: every address is checked before it is connected to, and the checked address is the one connected to.

http.client rather than urllib3: on loopback it brought one stream in a third of the processor time and four streams in
nine tenths, reads into one buffer for good, and leaves the connecting to us."""

import http.client
import select
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.addresses import refused_address, refused_name
from stoker_runtime.fetch.patience import Interrupted, Times
from stoker_runtime.fetch.proxies import Proxy, proxy_for
from stoker_runtime.fetch.urls import Origin

Resolve = Callable[[str, int], list[str]]
_MOST_HEAD_BYTES = 16 << 10


class Response(http.client.HTTPResponse):
    """An answer whose body is read as it comes, into a buffer that is there already."""

    _is_drained = False

    def bring(self, view: memoryview) -> int:
        """At most one read of the socket. 0 at the end of the body; raises when the body ends too early."""
        if self.isclosed():
            return 0
        if self.chunked:
            data = self.read1(len(view))
            view[: len(data)] = data
            return len(data)
        if self.length == 0:
            self.close()
            return 0
        count = self._read_once(view if self.length is None else view[: self.length])
        if self.length is not None:
            if count == 0:
                raise http.client.IncompleteRead(b"", self.length)
            self.length -= count
        if self.length == 0 or count == 0:
            self.close()
        return count

    def _read_once(self, view: memoryview) -> int:
        """What came with the head first, then past the buffer: a buffered read that fails half-way loses bytes."""
        if not self._is_drained:
            came = len(self.fp.peek(1))
            self._is_drained = came <= len(view)
            return self.fp.readinto1(view[:came])
        return self.fp.raw.readinto(view) or 0


def resolve(host: str, port: int) -> list[str]:
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Connections:
    """Opens connections and keeps those that wait for their next request. Safe for threads."""

    def __init__(
        self, named_hosts: frozenset[str], environment: Mapping[str, str], times: Times, resolve: Resolve = resolve
    ) -> None:
        self._named = frozenset(host.lower() for host in named_hosts)
        self._environment = environment
        self._times = times
        self._resolve = resolve
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[http.client.HTTPConnection]] = {}
        self._open: set[socket.socket] = set()
        self._tls: ssl.SSLContext | None = None

    def take(self, origin: Origin) -> tuple[http.client.HTTPConnection, Proxy | None]:
        """A connection, and the proxy that must be told whole addresses on it."""
        proxy = proxy_for(origin, self._environment)
        with self._lock:
            kept = self._idle.get(origin, [])
            while kept:
                connection = kept.pop()
                if connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                    return connection, proxy if not origin.is_secure else None
                self._drop(connection)
        return self._connect(origin, proxy), proxy if not origin.is_secure else None

    def keep(self, origin: Origin, connection: http.client.HTTPConnection) -> None:
        if connection.sock is None:
            return
        with self._lock:
            self._idle.setdefault(origin, []).append(connection)

    def drop(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._drop(connection)

    def close(self) -> None:
        """Ends every read that waits for bytes, and what waits for a next request."""
        with self._lock:
            for connection in [each for kept in self._idle.values() for each in kept]:
                self._drop(connection)
            self._idle.clear()
            for waiting in self._open:
                try:
                    waiting.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the other side was faster

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        if connection.sock is not None:
            self._open.discard(connection.sock)
        connection.close()

    def _connect(self, origin: Origin, proxy: Proxy | None) -> http.client.HTTPConnection:
        addresses = self._checked(origin, proxy)
        try:
            sock = self._dialled(origin, proxy, addresses)
        except ssl.SSLCertVerificationError as error:
            raise WeightsError(
                Reason.UNREACHABLE,
                f"{origin.authority} shows a certificate that is not trusted ({error.verify_message}): "
                "give the authority's certificate by SSL_CERT_FILE",
            ) from None
        except OSError as error:
            raise Interrupted(f"{origin.authority} cannot be connected to: {error}") from error
        kind: Any = http.client.HTTPSConnection if origin.is_secure else http.client.HTTPConnection
        connection: http.client.HTTPConnection = kind(origin.host, origin.port, timeout=self._times.stall_seconds)
        # It must never connect by itself, past the checks.
        connection.auto_open = 0
        connection.response_class = Response
        connection.sock = sock
        with self._lock:
            self._open.add(sock)
        return connection

    def _checked(self, origin: Origin, proxy: Proxy | None) -> list[str]:
        """The addresses that may be connected to. Behind a proxy names often have none here: then the proxy decides."""
        why = refused_name(origin.host)
        if why:
            raise _unsafe(origin.host, origin.host, why)
        try:
            found = self._looked_up(origin.host, origin.port)
        except Interrupted:
            if proxy:
                return []
            raise
        named = origin.host in self._named or origin.authority in self._named
        refusals = {address: refused_address(address, named) for address in found}
        allowed = [address for address, why in refusals.items() if why is None]
        if not allowed:
            address, why = next(iter(refusals.items()))
            raise _unsafe(origin.host, address, why or "")
        return allowed

    def _looked_up(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Interrupted(f"{host} has no address: {error}") from error
        if not found:
            raise Interrupted(f"{host} has no address")
        return found

    def _dial(self, addresses: list[str], port: int) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=self._times.connect_seconds)
            except OSError as error:
                failure = error
        raise failure

    def _dialled(self, origin: Origin, proxy: Proxy | None, addresses: list[str]) -> socket.socket:
        if proxy:
            found = self._dial(self._looked_up(proxy.host, proxy.port), proxy.port)
        else:
            found = self._dial(addresses, origin.port)
        try:
            found.settimeout(self._times.stall_seconds)
            if not origin.is_secure:
                return found
            if proxy:
                _tunnel(found, origin, proxy)
            with self._lock:
                self._tls = self._tls or _trust(self._environment)
            return self._tls.wrap_socket(found, server_hostname=origin.host)
        except BaseException:
            found.close()
            raise


def _trust(environment: Mapping[str, str]) -> ssl.SSLContext:
    bundle = environment.get("SSL_CERT_FILE") or environment.get("REQUESTS_CA_BUNDLE")
    try:
        return ssl.create_default_context(cafile=bundle or None)
    except (OSError, ssl.SSLError) as error:
        raise WeightsError(
            Reason.UNREACHABLE,
            f"SSL_CERT_FILE or REQUESTS_CA_BUNDLE names {bundle}, which cannot be read as certificates ({error}): "
            "mount a PEM file there",
        ) from None


def _tunnel(found: socket.socket, origin: Origin, proxy: Proxy) -> None:
    lines = [f"CONNECT {origin.authority} HTTP/1.1", f"Host: {origin.authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    found.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # Byte by byte: what follows the head is not ours to read.
        byte = found.recv(1)
        head += byte
        if not byte or len(head) > _MOST_HEAD_BYTES:
            raise ConnectionError(f"the proxy {proxy.host}:{proxy.port} ends the connection")
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise ConnectionError(f"the proxy {proxy.host}:{proxy.port} answers {b''.join(status).decode('latin-1')[:9]}")


def _unsafe(host: str, found: str, why: str) -> WeightsError:
    what = host if host == found else f"{host} leads to {found}, which"
    return WeightsError(
        Reason.UNSAFE_SOURCE,
        f"{what} is not downloaded from: {why}. Name the host in the source, or have it added to the allowed hosts",
    )
