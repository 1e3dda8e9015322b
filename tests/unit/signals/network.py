"""A network in virtual time: replicas that answer as their script says."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from stoker.core.scaling.observation import Load
from stoker.signals.account import Account
from stoker.signals.engine_page import EngineAnswers
from stoker.signals.load_answer import AgentAnswers
from stoker.signals.polling.connection import Connection
from stoker.signals.polling.pace import Pace
from stoker.signals.polling.poller import Poller
from stoker.signals.polling.replica import Answers
from stoker.signals.sighting import Sighting
from stoker.signals.target import Source, Target
from tests.unit.signals.answers import load as answer
from tests.virtual_time import run_in_virtual_time


@dataclass
class Host:
    """`says` is given the number of the question; None: silence. `b""` ends the connection."""

    says: Callable[[int], bytes | None] = lambda _: answer()
    after_seconds: float = 0.001
    connect_seconds: float | None = 0.001  # None: never
    refuses: bool = False
    asked_at: list[float] = field(default_factory=list)
    opened: int = 0
    open: int = 0
    wires: "list[Wire]" = field(default_factory=list)


class Wire(asyncio.Transport):
    """The replica's end of a connection."""

    def __init__(self, host: Host, connection: Connection) -> None:
        super().__init__()
        self._host = host
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        host.opened += 1
        host.open += 1
        host.wires.append(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert bytes(data).startswith(b"GET /"), data
        self._host.asked_at.append(self._loop.time())
        said = self._host.says(len(self._host.asked_at))
        if said is not None:
            self._loop.call_later(self._host.after_seconds, self.say, said)

    def say(self, data: bytes) -> None:
        if self._is_closed:
            return
        if data:
            self._connection.data_received(data)
        else:
            self.abort()

    def abort(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._host.open -= 1
            self._loop.call_soon(self._connection.connection_lost, None)

    def close(self) -> None:
        self.abort()


@dataclass
class Network:
    hosts: dict[str, Host] = field(default_factory=dict)
    dialing: int = 0
    most_dialing: int = 0

    async def dial(self, make: Callable[[], Connection], host: str, port: int) -> Any:
        del port
        there = self.hosts.get(host)
        self.dialing += 1
        self.most_dialing = max(self.most_dialing, self.dialing)
        try:
            if there is None or there.refuses:
                await asyncio.sleep(0.001)
                raise ConnectionRefusedError(111, "Connect call failed")
            await asyncio.sleep(1e9 if there.connect_seconds is None else there.connect_seconds)
        finally:
            self.dialing -= 1
        connection = make()
        connection.connection_made(Wire(there, connection))
        return None, connection


def target(name: str, **fields: Any) -> Target:
    """A replica whose address is its name."""
    usual: dict[str, Any] = {"uid": name, "namespace": "ns", "pod": name, "model": "ns/m", "ip": name, "port": 8010}
    return Target(**usual | fields)


def answers_of(target: Target) -> Answers:
    if target.source is Source.ENGINE:
        return EngineAnswers(target.engine, Account("start"))
    return AgentAnswers(target.pod)


class Asking:
    """A poller on that network."""

    def __init__(self, network: Network, pace: Pace | None = None) -> None:
        self.network = network
        loop = asyncio.get_running_loop()
        self.poller = Poller(answers_of, pace or Pace(), loop.time, network.dial)
        self._now = loop.time

    def follow(self, *targets: Target) -> None:
        self.poller.follow(targets)

    def sighting(self, name: str) -> Sighting:
        found = self.poller.record(name)
        assert found is not None
        return found.sighting(self._now())

    def load(self, name: str) -> Load:
        found = self.sighting(name).load
        assert found is not None
        return found

    def why(self, name: str) -> str:
        found = self.poller.record(name)
        assert found is not None
        return found.why


def asking(
    hosts: dict[str, Host],
    scenario: Callable[[Asking], Coroutine[Any, Any, None]],
    pace: Pace | None = None,
    targets: Iterable[Target] | None = None,
) -> None:
    """Runs the scenario with all hosts followed, or the given targets."""

    async def main() -> None:
        raised: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
        them = Asking(Network(hosts), pace)
        them.follow(*(map(target, hosts) if targets is None else targets))
        running = asyncio.create_task(them.poller.run())
        await scenario(them)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for name, host in hosts.items():
            assert host.open == 0, f"a connection to {name} was left open"
        assert not raised

    run_in_virtual_time(main())
