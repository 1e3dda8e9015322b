"""The one way out: HTTP with checked addresses, redirects, and patience."""

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.answers import REDIRECTS, judge, span_of
from stoker_runtime.fetch.connections import Connections, Resolve, Response, resolve
from stoker_runtime.fetch.patience import Interrupted, Patience, Times
from stoker_runtime.fetch.source import Reply, Request
from stoker_runtime.fetch.urls import MOST_REDIRECTS, Origin, origin_of, redirected, shown, target_of

_T = TypeVar("_T")
_BUFFER_BYTES = 256 << 10
# A slow transfer is written down, and seen, before a whole buffer came.
_FILLS_FOR_SECONDS = 0.5
# What is left of an answer that nobody wants is read to keep its connection, if it is no more than this.
_WORTH_READING_BYTES = 64 << 10


class Body:
    """An answer with its body unread. `request` is where it came from, after redirects."""

    def __init__(
        self, request: Request, origin: Origin, connection: http.client.HTTPConnection, pool: Connections
    ) -> None:
        self.request = request
        self._origin = origin
        self._connection = connection
        self._pool = pool
        self._failure: Interrupted | None = None
        self._response: Response

    def head(self) -> None:
        response = self._connection.getresponse()
        assert isinstance(response, Response)  # noqa: S101 - connections make no others
        self._response = response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    @property
    def is_open_ended(self) -> bool:
        """Whether only the end of the connection tells the end of the body."""
        return self._response.length is None and not self._response.chunked

    def fill(self, view: memoryview) -> int:
        """Bytes into `view`, until it is full or half a second went by; 0 at the end.

        What came before a failure is given out before the failure is."""
        if self._failure:
            raise self._failure
        filled, began = 0, time.monotonic()
        while filled < len(view) and (not filled or time.monotonic() - began < _FILLS_FOR_SECONDS):
            try:
                count = self._response.bring(view[filled:])
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._failure = Interrupted(f"{shown(self.request.url)} broke off: {_said(error)}")
                if not filled:
                    raise self._failure from error
                break
            if count == 0:
                break
            filled += count
        return filled

    def close(self) -> None:
        """Keeps the connection for the next request if this answer was read to its end."""
        response = self._response
        if not response.isclosed() and (response.length or _WORTH_READING_BYTES + 1) <= _WORTH_READING_BYTES:
            self.fill(memoryview(bytearray(_WORTH_READING_BYTES)))
        if self._failure or not response.isclosed() or response.will_close:
            response.close()
            self._pool.drop(self._connection)
        else:
            self._pool.keep(self._origin, self._connection)

    def __enter__(self) -> "Body":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        except Interrupted:
            self._pool.drop(self._connection)


class HttpWeb:
    """Web over HTTP and HTTPS. Hosts that the user named, and allowed ones, may have private addresses."""

    def __init__(  # noqa: PLR0913 - all have defaults
        self,
        named_hosts: frozenset[str] = frozenset(),
        allowed_hosts: frozenset[str] = frozenset(),
        *,
        times: Times | None = None,
        environment: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
        resolve: Resolve = resolve,
        tell: Callable[[Interrupted], None] = lambda _: None,
    ) -> None:
        """`tell` hears of each try that failed and is made again."""
        self.times = times or Times()
        self._tell = tell
        self.stop = stop or threading.Event()
        environment = os.environ if environment is None else environment
        self._pool = Connections(named_hosts | allowed_hosts, environment, self.times, resolve)

    def ask(self, request: Request, *, method: str = "GET", most_bytes: int = 64 << 20) -> Reply:
        return self._patiently(request, lambda _: self._whole(request, method, most_bytes))

    def size(self, request: Request) -> int | None:
        def first_byte(_: Patience) -> int | None:
            # Not HEAD: an address that is signed for GET refuses it.
            with self.open(request, first=0, end=1) as body:
                return span_of(request.url, body.status, body.headers).total if body.status != 416 else 0

        return self._patiently(request, first_byte)

    def part(self, request: Request, first: int, end: int) -> bytes:
        content = bytearray(end - first)
        have = 0

        def rest(patience: Patience) -> bytes:
            nonlocal have
            while have < len(content):
                with self.open(request, first=first + have, end=end) as body:
                    span = span_of(request.url, body.status, body.headers)
                    if span.first != first + have and not (span.first == 0 and have == 0):
                        raise Interrupted(f"{shown(request.url)} gives other bytes than asked for")
                    _skip(body, first + have - span.first)
                    while have < len(content) and (count := body.fill(memoryview(content)[have:])):
                        have += count
                        patience.progressed()
                    if span.end is not None and span.end < end and have < len(content) and span.end == span.total:
                        raise WeightsError(
                            Reason.SIZE_MISMATCH, f"{shown(request.url)} has {span.total} bytes, {end} were expected"
                        )
            return bytes(content)

        return self._patiently(request, rest)

    def open(
        self,
        request: Request,
        *,
        method: str = "GET",
        first: int | None = None,
        end: int | None = None,
        if_range: str | None = None,
    ) -> Body:
        """One try. Raises Interrupted where another one may help; bytes `first` up to `end` are only asked for."""
        for _ in range(MOST_REDIRECTS + 1):
            body = self._exchange(request, method, first, end, if_range)
            location = body.headers.get("location")
            if body.status in REDIRECTS and location:
                with body:
                    request = redirected(request, location)
                continue
            try:
                judge(request.url, body.status, body.headers)
            except BaseException:
                body.__exit__()
                raise
            return body
        raise WeightsError(
            Reason.UNSAFE_SOURCE, f"{shown(request.url)} redirects more than {MOST_REDIRECTS} times: check the source"
        )

    def close(self) -> None:
        """Ends every read that waits for bytes."""
        self._pool.close()

    def _exchange(
        self, request: Request, method: str, first: int | None, end: int | None, if_range: str | None
    ) -> Body:
        origin = origin_of(request.url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "stoker", "Accept": "*/*", **request.headers}
        if first is not None:
            headers["Range"] = f"bytes={first}-{'' if end is None else end - 1}"
            if if_range:
                headers["If-Range"] = if_range
        connection, proxy = self._pool.take(origin)
        target = target_of(request.url)
        if proxy:
            target = f"http://{origin.authority}{target}"
            headers |= {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
        body = Body(request, origin, connection, self._pool)
        try:
            connection.request(method, target, headers=headers)
            body.head()
        except (OSError, http.client.HTTPException) as error:
            self._pool.drop(connection)
            raise Interrupted(f"{shown(request.url)} does not answer: {_said(error)}") from error
        except (ValueError, UnicodeError):
            self._pool.drop(connection)
            # The error itself would quote a header, which may hold a token.
            raise WeightsError(
                Reason.UNSAFE_SOURCE,
                f"{shown(request.url)} cannot be asked for: its address or a header (a token?) has characters that "
                "HTTP does not carry",
            ) from None
        except BaseException:
            self._pool.drop(connection)
            raise
        return body

    def _whole(self, request: Request, method: str, most_bytes: int) -> Reply:
        with self.open(request, method=method) as body:
            content = bytearray()
            buffer = memoryview(bytearray(_BUFFER_BYTES))
            while count := body.fill(buffer):
                content += buffer[:count]
                if len(content) > most_bytes:
                    raise WeightsError(
                        Reason.UNSAFE_SOURCE, f"{shown(request.url)} answers with more than {most_bytes} bytes"
                    )
            return Reply(body.status, body.headers, bytes(content))

    def _patiently(self, request: Request, work: Callable[[Patience], _T]) -> _T:
        patience = Patience(self.times, self.stop)
        attempt = 0
        while True:
            try:
                return work(patience)
            except Interrupted as why:
                self._tell(why)
                if not patience.wait(attempt, why):
                    raise unreachable(request.url, why, self.times) from why
                attempt += 1


def unreachable(url: str, why: Interrupted, times: Times) -> WeightsError:
    return WeightsError(
        Reason.UNREACHABLE,
        f"{shown(url)} gave no byte for {times.patience_seconds:.0f} s, at last because {why}: "
        "check that it can be reached from here",
    )


def _skip(body: Body, count: int) -> None:
    """A server that ignores ranges sends the beginning too."""
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    while count > 0:
        got = body.fill(buffer[: min(count, len(buffer))])
        if not got:
            raise Interrupted(f"{shown(body.request.url)} ended before the bytes that were asked for")
        count -= got


def _said(error: BaseException) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return f"{error.expected} bytes are missing"
    if isinstance(error, TimeoutError | socket.timeout):
        return "it sends nothing"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
