"""What the control port answers."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from stoker_runtime.agent.control.connection import refusal
from stoker_runtime.agent.control.requests import Answer, Request
from stoker_runtime.agent.control.tokens import bearer, is_token

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_VERB_SECONDS = 10.0
_GOOD = Answer(200, b"ok\n", "text/plain")
_ORDER = re.compile(r"[0-9]{1,18}")


class Said(Protocol):
    """A status of HTTP, and a sentence."""

    @property
    def status(self) -> int: ...
    @property
    def sentence(self) -> str: ...


class Replica(Protocol):
    """What is asked on the control port's thread."""

    def livez(self) -> str | None: ...
    def readyz(self) -> str | None: ...
    def load(self) -> bytes: ...
    def metrics(self) -> bytes: ...


class Verbs(Protocol):
    """What is done on the loop of the pipe."""

    async def drain(self) -> Said: ...
    async def open(self) -> Said: ...
    async def sleep(self, level: str) -> Said: ...
    async def wake(self) -> Said: ...
    async def prestop(self) -> Said: ...


@dataclass(frozen=True)
class _Passed:
    """An order that a later one has overtaken: late on its way, or of an operator that leads no more."""

    status: int = 409
    sentence: str = "A later order came before this one."


@dataclass(frozen=True)
class Tokens:
    """SHA-256 digests in hexadecimal digits; None: nobody may."""

    control: str | None
    prestop: str | None


class Routes:
    """Called on the control port's thread; verbs are handed to the loop of the pipe."""

    def __init__(self, replica: Replica, verbs: Verbs, loop: asyncio.AbstractEventLoop, tokens: Tokens) -> None:
        self._replica = replica
        self._verbs = verbs
        self._loop = loop
        self._tokens = tokens
        self._last_order = 0  # used on the loop of the pipe alone
        self._reads: dict[str, Callable[[], Answer]] = {
            "/livez": lambda: _probe(replica.livez()),
            "/readyz": lambda: _probe(replica.readyz()),
            "/load": lambda: Answer(200, replica.load()),
            "/metrics": lambda: Answer(200, replica.metrics(), _METRICS_TYPE),
        }
        self._writes: dict[str, Callable[[Request], Coroutine[Any, Any, Said]]] = {
            "/drain": lambda _: verbs.drain(),
            "/open": lambda _: verbs.open(),
            "/sleep": lambda request: verbs.sleep(request.query.get("level", "1")),
            "/wake": lambda _: verbs.wake(),
        }

    def answer(self, request: Request) -> Answer | Awaitable[Answer]:
        path = request.path
        if path in self._reads:
            return self._reads[path]() if request.method == "GET" else _wrong_method("GET")
        if path in self._writes:
            given = bearer(request.headers.get("authorization"))
            return _guarded(request, "POST", given, self._tokens.control) or self._done(
                self._in_order(request), _VERB_SECONDS
            )
        if path == "/prestop":
            given = request.headers.get("x-stoker-prestop")
            return _guarded(request, "GET", given, self._tokens.prestop) or self._done(self._verbs.prestop(), None)
        return refusal(404, f"There is no {path} here.")

    async def _in_order(self, request: Request) -> Said:
        """Who numbers orders has the latest carried out, and none that comes after it."""
        given = request.query.get("order", "")
        if _ORDER.fullmatch(given):
            if int(given) < self._last_order:
                return _Passed()
            self._last_order = int(given)
        return await self._writes[request.path](request)

    async def _done(self, verb: Coroutine[Any, Any, Said], timeout_seconds: float | None) -> Answer:
        running = asyncio.run_coroutine_threadsafe(verb, self._loop)
        try:
            said = await asyncio.wait_for(asyncio.wrap_future(running), timeout_seconds)
        except TimeoutError:
            return refusal(503, "The agent is too busy to do that now: ask again.")
        return Answer(said.status, json.dumps({"message": said.sentence}).encode())


def _probe(problem: str | None) -> Answer:
    return _GOOD if problem is None else Answer(503, problem.encode(), "text/plain")


def _wrong_method(right: str) -> Answer:
    return refusal(405, f"Only {right} is answered here.", allow=right)


def _guarded(request: Request, method: str, given: str | None, sha256: str | None) -> Answer | None:
    """None: go on."""
    if request.method != method:
        return _wrong_method(method)
    if sha256 is None:
        return refusal(403, "The agent was started without the digest of a token for this.")
    return None if is_token(given, sha256) else refusal(401, "The token is missing or wrong.")
