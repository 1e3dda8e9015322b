"""One request to the engine on a connection of its own, with a deadline and a bound."""

import asyncio
from dataclasses import dataclass

from stoker_runtime.agent.pipe.upstream import SocketUpstream, Upstream

_MOST_HEAD_BYTES = 32_768
MOST_BODY_BYTES = 8 * 1024 * 1024


class EngineGoneError(Exception):
    """Nobody listens."""


class EngineLateError(Exception):
    """It listens, and no whole answer came in time: saturated, or hung."""


class EngineNonsenseError(Exception):
    """It answered something that is no HTTP, or cut its answer."""


@dataclass(frozen=True)
class EngineAnswer:
    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def __str__(self) -> str:
        text = self.body[:200].decode(errors="replace").strip()
        return f"status {self.status}" + (f" ({text})" if text else "")


async def ask(
    engine: Upstream, method: str, target: str, timeout_seconds: float, body: bytes | None = None
) -> EngineAnswer:
    """Raises EngineGoneError, EngineLateError or EngineNonsenseError."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _asked(engine, method, target, body)
    except TimeoutError:
        raise EngineLateError(f"no answer to {method} {target} within {timeout_seconds:g} s") from None


async def _asked(engine: Upstream, method: str, target: str, body: bytes | None) -> EngineAnswer:
    try:
        if isinstance(engine, SocketUpstream):
            reader, writer = await asyncio.open_unix_connection(engine.path, limit=_MOST_HEAD_BYTES)
        else:
            reader, writer = await asyncio.open_connection(engine.host, engine.port, limit=_MOST_HEAD_BYTES)
    except OSError as error:
        raise EngineGoneError(f"nobody listens on {engine}: {error.strerror}") from error
    try:
        writer.write(_request(method, target, body))
        return await _answer(reader)
    except (OSError, ValueError, IndexError, EOFError, asyncio.LimitOverrunError) as error:
        raise EngineNonsenseError(f"no proper answer to {method} {target}: {error}") from error
    finally:
        writer.transport.abort()


def _request(method: str, target: str, body: bytes | None) -> bytes:
    content = b"" if body is None else b"Content-Type: application/json\r\n"
    length = b"" if method == "GET" else b"Content-Length: %d\r\n" % len(body or b"")
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
    return head + content + length + b"\r\n" + (body or b"")


async def _answer(reader: asyncio.StreamReader) -> EngineAnswer:
    status, headers = 100, dict[str, str]()
    while 100 <= status < 200:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        if not first.startswith("HTTP/1."):
            raise ValueError("not HTTP/1")
        status = int(first.split(" ")[1])
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return EngineAnswer(status, await _chunks(reader))
    if "content-length" in headers:
        return EngineAnswer(status, await reader.readexactly(_bounded(int(headers["content-length"]))))
    return EngineAnswer(status, await _rest(reader))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(_bounded(size)))
        _bounded(sum(map(len, parts)))
        await reader.readexactly(2)
    return b"".join(parts)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while part := await reader.read(65_536):
        body += part
        _bounded(len(body))
    return body


def _bounded(size_bytes: int) -> int:
    if not 0 <= size_bytes <= MOST_BODY_BYTES:
        raise ValueError(f"{size_bytes} bytes")
    return size_bytes
