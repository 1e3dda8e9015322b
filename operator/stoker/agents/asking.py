"""One order on one connection: who answers there is asked first, since an address may be another pod's by now."""

from dataclasses import dataclass
from typing import Protocol

import aiohttp

from stoker.agents.answers import NOTHING, Found, Taken, found, taken
from stoker.core.pool.report import Heard, Verb

TIMEOUT_SECONDS = 2.0
_MOST_BYTES = 16_384
# To the agent a rest is an opening like any other; older ones know it too.
_PATHS = {verb: f"/{verb}" for verb in Verb} | {Verb.REST: f"/{Verb.OPEN}"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the agent of a pod is told."""

    pod: str
    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Order:
    """`number` rises with each order: an agent that knows it passes over what comes after a later one."""

    verb: Verb
    number: int
    level: int = 1  # of sleep


class Asking(Protocol):
    async def __call__(self, place: Place, order: Order, token: str) -> tuple[Taken, Found]: ...


async def ask(place: Place, order: Order, token: str) -> tuple[Taken, Found]:
    """Never raises: no answer in time is an answer too."""
    try:
        return await _asked(place, order, token)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Taken(Heard.SILENT, f"{type(error).__name__}: {error}"), NOTHING


async def _asked(place: Place, order: Order, token: str) -> tuple[Taken, Found]:
    host = f"[{place.ip}]" if ":" in place.ip else place.ip
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(
        f"http://{host}:{place.port}", connector=connector, timeout=timeout, trust_env=False
    ) as session:
        before = await _look(session)
        if before.pod not in ("", place.pod):
            return Taken(Heard.SILENT, f"pod {before.pod} answers at {place.ip}"), NOTHING
        query = {"order": str(order.number)} | ({"level": str(order.level)} if order.verb is Verb.SLEEP else {})
        headers = {"Authorization": f"Bearer {token}"}
        async with session.post(_PATHS[order.verb], params=query, headers=headers, allow_redirects=False) as answer:
            said = taken(answer.status, await answer.content.read(_MOST_BYTES))
        return said, await _look(session)


async def _look(session: aiohttp.ClientSession) -> Found:
    async with session.get("/load", allow_redirects=False) as answer:
        return found(answer.status, await answer.content.read(_MOST_BYTES))
