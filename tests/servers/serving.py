"""HTTP/1.1 on a thread per connection: ranges, conditions and faults for any application."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.servers.faults import Fault, Faults, Served, read_fault
from tests.servers.ranges import Span, span_of

_CHUNK_BYTES = 64 << 10
_CONTROL = "/_faults"

Content = bytes | Path


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str  # decoded
    raw_path: str
    query: Mapping[str, str]
    raw_query: str
    headers: Mapping[str, str]  # names in lower case
    origin: str  # such as http://127.0.0.1:8080


@dataclass(frozen=True)
class Answer:
    """What an application says; `ranges` lets the client ask for a part of it."""

    status: int = 200
    body: Content = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ranges: bool = False


class Application(Protocol):
    """One kind of server, without its network."""

    def answer(self, asked: Asked) -> Answer:
        """Called on many threads at once."""


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


class Running:
    """Run with `with`. The port is known from the start."""

    def __init__(
        self,
        application: Application,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._server = _Server((host, port), _Handler)
        self._server.application, self._server.faults = application, self.faults
        self._server.origin = self.url = f"http{'s' if certificate else ''}://{host}:{self.port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.tls = context

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def authority(self) -> str:
        return urlsplit(self.url).netloc

    def serve_forever(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self.faults.clear()
        self._server.end_connections()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = 128
    application: Application
    faults: Faults
    origin: str
    tls: ssl.SSLContext | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def finish_request(self, request: Any, client_address: Any) -> None:
        # Clients break off as they like. TLS begins on the connection's own thread, so nobody else waits for it.
        with suppress(OSError), self.tls.wrap_socket(request, server_side=True) if self.tls else request as connection:
            with self._lock:
                self._open.add(connection)
            try:
                _Handler(connection, client_address, self)
            finally:
                with self._lock:
                    self._open.discard(connection)

    def end_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Says nothing: faults would fill the tests' output."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(target.path)
        if path == _CONTROL:
            self._send(self._control(body), Fault(), path)
            return
        fault = self.server.faults.take(self.command, path)
        if fault.delay_seconds:
            self.server.faults.released.wait(fault.delay_seconds)
        self._send(_spoiled(fault) or self._answer(target.path, target.query), fault, path)

    def _answer(self, raw_path: str, raw_query: str) -> Answer:
        headers = {name.lower(): value for name, value in self.headers.items()}
        scheme = self.server.origin.partition("://")[0]
        origin = f"{scheme}://{headers['host']}" if "host" in headers else self.server.origin
        query = dict(parse_qsl(raw_query, keep_blank_values=True))
        return self.server.application.answer(
            Asked(self.command, unquote(raw_path), raw_path, query, raw_query, headers, origin)
        )

    def _control(self, body: bytes) -> Answer:
        """For a test that runs elsewhere: POST adds a fault, DELETE takes all back, GET says what was served."""
        faults = self.server.faults
        if self.command == "DELETE":
            faults.clear()
            faults.forget()
        elif self.command == "POST":
            try:
                fault, options = read_fault(json.loads(body))
            except (ValueError, TypeError, AttributeError) as error:
                return json_answer({"error": str(error)}, 400)
            faults.add(fault, **options)
        return json_answer([asdict(one) for one in faults.served()])

    def _send(self, answer: Answer, fault: Fault, path: str) -> None:
        size = answer.body.stat().st_size if isinstance(answer.body, Path) else len(answer.body)
        if fault.cut_to_bytes is not None:
            size = min(size, fault.cut_to_bytes)
        span = span_of(answer, size, {name.lower(): value for name, value in self.headers.items()})
        served = Served(self.command, path, span.first, 0, span.status)
        if path != _CONTROL:
            self.server.faults.record(served)
        self.send_response(span.status)
        for name, value in {**answer.headers, **span.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(_Body(answer.body, span, fault, self.server.faults), served)

    def _send_body(self, body: "_Body", served: Served) -> None:
        try:
            for piece in body.pieces():
                served.sent_bytes += len(piece)
                self.wfile.write(piece)
        except _DroppedError:
            self._reset()
        except OSError:
            self.close_connection = True

    def _reset(self) -> None:
        """What was written arrives first; then the client sees the connection end in the middle."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)


class _DroppedError(Exception):
    """The connection ends here."""


@dataclass(frozen=True)
class _Body:
    """The bytes of a span as they leave, with what goes wrong on the way."""

    content: Content
    span: Span
    fault: Fault
    faults: Faults

    def pieces(self) -> Iterator[bytes]:
        began, first = time.monotonic(), self.span.first
        with _opened(self.content) as file:
            file.seek(first)
            at = first
            while at < self.span.end:
                self._stop_at(at)
                end = min(self.span.end, at + self._chunk(), *(stop for stop in self._stops() if stop > at))
                piece = self._spoiled(file.read(end - at), at)
                yield piece
                at += len(piece)
                self._throttle(at - first, began)
            self._stop_at(at)

    def _chunk(self) -> int:
        rate = self.fault.bytes_per_second
        return _CHUNK_BYTES if rate is None else max(1, min(_CHUNK_BYTES, int(rate / 50)))

    def _stops(self) -> list[int]:
        return [stop for stop in (self.fault.drop_at_byte, self.fault.stall_at_byte) if stop is not None]

    def _stop_at(self, at: int) -> None:
        if at == self.fault.drop_at_byte:
            raise _DroppedError
        if at == self.fault.stall_at_byte:
            self.faults.released.wait()
            raise _DroppedError

    def _spoiled(self, piece: bytes, at: int) -> bytes:
        wrong = self.fault.wrong_byte_at
        if wrong is None or not at <= wrong < at + len(piece):
            return piece
        spoiled = bytearray(piece)
        spoiled[wrong - at] ^= 1
        return bytes(spoiled)

    def _throttle(self, sent_bytes: int, began: float) -> None:
        if self.fault.bytes_per_second:
            self.faults.released.wait(max(0.0, sent_bytes / self.fault.bytes_per_second - (time.monotonic() - began)))


def _spoiled(fault: Fault) -> Answer | None:
    if fault.redirect_to:
        return Answer(302, headers={"Location": fault.redirect_to})
    if fault.status is None:
        return None
    return Answer(fault.status, b"as told\n", {"Retry-After": fault.retry_after} if fault.retry_after else {})


def _opened(content: Content) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else BytesIO(content)
