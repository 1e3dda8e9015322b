"""A web server on loopback that does to a download what it is told, and counts what it gave."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.beside import answering


@dataclass
class Fault:
    """What happens to the next `times` requests that `path` is part of."""

    status: int = 0  # answered instead
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after: int | None = None  # bytes of the body, then the connection is closed
    stall_after: int | None = None  # bytes of the body, then nothing comes
    wrong_byte: int | None = None  # at this place of the file
    head_after_seconds: float = 0.0
    path: str = ""
    times: int = 1


@dataclass
class Asked:
    """One request."""

    path: str
    range: str | None
    headers: dict[str, str]
    sent_bytes: int = 0


class Origin(ThreadingHTTPServer):
    """Run with `served`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.has_ranges = True
        self.is_chunked = False
        self.has_etags = True
        self.bytes_per_second: float | None = None
        self.before: Callable[[int], None] = lambda _: None
        self.gone = threading.Event()
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def sent_bytes(self) -> int:
        return sum(asked.sent_bytes for asked in self.asked)

    def fault(self, path: str) -> Fault:
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.path in path:
                    fault.times -= 1
                    return fault
        return Fault()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Origin

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/")
        asked = Asked(path, self.headers.get("Range"), dict(self.headers.items()))
        self.server.asked.append(asked)
        self.server.before(len(self.server.asked))
        fault = self.server.fault(self.path)
        if fault.head_after_seconds:
            self.server.gone.wait(fault.head_after_seconds)
        content = self.server.files.get(path)
        if fault.status or content is None:
            self._head(fault.status or 404, {"Content-Length": "0", **fault.headers})
            return
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        first, end, status = 0, len(content), 200
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.range or "")
        fits = self.headers.get("If-Range") in (None, etag)
        if match and self.server.has_ranges and fits:
            first, end, status = int(match[1]), min(int(match[2] or len(content)) + 1, len(content)), 206
            if first >= len(content):
                self._head(416, {"Content-Length": "0", "Content-Range": f"bytes */{len(content)}"})
                return
        headers = {"ETag": etag} if self.server.has_etags else {}
        if status == 206:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(content)}"
        headers |= {"Transfer-Encoding": "chunked"} if self.server.is_chunked else {"Content-Length": str(end - first)}
        self._head(status, {**headers, **fault.headers})
        self._body(bytearray(content[first:end]), first, fault, asked)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, body: bytearray, first: int, fault: Fault, asked: Asked) -> None:
        if fault.wrong_byte is not None and 0 <= fault.wrong_byte - first < len(body):
            body[fault.wrong_byte - first] ^= 0xFF
        cut = min(each for each in (fault.drop_after, fault.stall_after, len(body)) if each is not None)
        for at in range(0, cut, 65536):
            piece = bytes(body[at : min(at + 65536, cut)])
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self.server.is_chunked else piece)
            asked.sent_bytes += len(piece)
            if self.server.bytes_per_second:
                time.sleep(len(piece) / self.server.bytes_per_second)
        if fault.stall_after is not None:
            self.server.gone.wait(30)
        if cut < len(body):
            self.close_connection = True
        elif self.server.is_chunked:
            self.wfile.write(b"0\r\n\r\n")


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[Origin]:
    with Origin(files) as origin, answering(origin):
        try:
            yield origin
        finally:
            origin.gone.set()
