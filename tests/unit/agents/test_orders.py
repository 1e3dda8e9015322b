"""Orders on their way: late, lost, twice, to the wrong pod, and to agents that do not know them."""

import asyncio
import logging
from dataclasses import dataclass, field, replace

import pytest

from stoker.agents.answers import Found, Taken, found, taken
from stoker.agents.asking import Order, Place
from stoker.agents.orders import Model, Orders
from stoker.core.control_token import ControlKey
from stoker.core.plan.actions import Tell
from stoker.core.plan.snapshot import Pod
from stoker.core.pool.report import Gate, Heard, Report, Verb
from tests.unit.plan.builders import container, pod, replica_set
from tests.virtual_time import run_in_virtual_time

KEY = ControlKey(b"k" * 32)
MODEL = Model("models", "llama")
POD = pod("web-1", replica_set("a", 1), ip="10.0.0.1", agent_port=8010)
OPEN = Found("web-1", Gate.OPEN, asleep=False, in_flight=0)
CLOSED = Found("web-1", Gate.REFUSING, asleep=False, in_flight=0)
SILENCE = (Taken(Heard.SILENT), Found("", None, None, None))


def tell(verb: Verb, of: Pod = POD) -> Tell:
    return Tell(of.identity, MODEL.name, of.ip, of.agent_port, of.restarts, verb)


@dataclass
class Agent:
    """Answers as it is told, after a second."""

    answers: list[tuple[Taken, Found]]
    told: list[Order] = field(default_factory=list)

    async def __call__(self, place: Place, order: Order, token: str) -> tuple[Taken, Found]:
        assert place == Place("web-1", "10.0.0.1", 8010)
        assert len(token) == 64
        self.told.append(order)
        await asyncio.sleep(1.0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class World:
    agent: Agent
    changes: list[Model] = field(default_factory=list)

    def __post_init__(self) -> None:
        now = asyncio.get_running_loop().time
        self.orders = Orders(KEY, self.changes.append, self.agent, now)

    def report(self, of: Pod = POD) -> Report | None:
        return self.orders.reports(MODEL, [of]).get(of.identity.uid)

    async def repeated(self, verb: Verb, seconds: float) -> None:
        """As looks do that follow each other closely."""
        for _ in range(int(seconds * 10)):
            self.orders.give(tell(verb))
            await asyncio.sleep(0.1)


def test_an_order_that_is_repeated_in_every_look_is_given_now_and_then() -> None:
    async def story() -> None:
        world = World(Agent([(Taken(Heard.UNDER_WAY), replace(CLOSED, in_flight=2))]))
        await world.repeated(Verb.DRAIN, 15.0)
        assert len(world.agent.told) == 10, "a second for the answer, half a second until the next"
        report = world.report()
        assert report
        assert (report.gate, report.in_flight, report.drained) == (Gate.REFUSING, 2, False)
        assert world.changes == [MODEL], "nothing new is no news"

    run_in_virtual_time(story())


def test_how_an_order_was_taken_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        world = World(Agent([(Taken(Heard.DONE, "drained"), CLOSED)]))
        await world.repeated(Verb.DRAIN, 5.0)

    with caplog.at_level(logging.INFO):
        run_in_virtual_time(story())
    said = [record.getMessage() for record in caplog.records if record.name == "stoker.agents.orders"]
    assert said == ["models/llama: pod web-1: drain: done drained"]


def test_what_was_known_before_an_order_is_unknown_once_it_is_given() -> None:
    async def story() -> None:
        world = World(Agent([(Taken(Heard.DONE), OPEN), (Taken(Heard.DONE), CLOSED)]))
        await world.repeated(Verb.OPEN, 1.5)
        opened = world.report()
        assert opened
        assert opened.opened
        world.orders.give(tell(Verb.DRAIN))
        told = world.report()
        assert told
        assert (told.gate, told.opened, told.closed) == (None, False, True)

    run_in_virtual_time(story())


def test_an_order_that_overtakes_another_waits_for_its_answer_and_has_a_higher_number() -> None:
    async def story() -> None:
        world = World(Agent([(Taken(Heard.DONE), CLOSED), (Taken(Heard.DONE), OPEN)]))
        world.orders.give(tell(Verb.DRAIN))
        await asyncio.sleep(0.5)
        world.orders.give(tell(Verb.OPEN))
        await asyncio.sleep(1.0)
        between = world.report()
        assert between
        assert between.heard is Heard.NOTHING, "the answer to the first is no answer to the second"
        await asyncio.sleep(1.0)
        after = world.report()
        assert after
        assert after.opened
        assert not after.closed
        first, second = world.agent.told
        assert first.number < second.number

    run_in_virtual_time(story())


def test_nobody_who_is_silent_is_asked_more_than_twice_a_minute_for_long() -> None:
    async def story() -> None:
        world = World(Agent([SILENCE]))
        await world.repeated(Verb.DRAIN, 600.0)
        assert len(world.agent.told) < 30
        report = world.report()
        assert report
        assert report.heard is Heard.SILENT
        assert report.gate is None

    run_in_virtual_time(story())


def test_a_container_that_was_restarted_has_been_told_nothing() -> None:
    async def story() -> None:
        world = World(Agent([(Taken(Heard.DONE), CLOSED)]))
        await world.repeated(Verb.DRAIN, 1.5)
        again = replace(POD, containers=(container(restarts=1),))
        assert world.report()
        assert world.report(again) is None

    run_in_virtual_time(story())


def test_what_is_gone_is_forgotten_and_its_order_is_given_up() -> None:
    async def story() -> None:
        world = World(Agent([(Taken(Heard.DONE), CLOSED)]))
        world.orders.give(tell(Verb.DRAIN))
        world.orders.forget_all_but(Model("models", "other"), [])
        await asyncio.sleep(0.1)
        world.orders.forget_all_but(MODEL, [])
        await asyncio.sleep(2.0)
        assert world.report() is None
        assert world.changes == []

    run_in_virtual_time(story())


@pytest.mark.parametrize(
    ("status", "body", "heard"),
    [
        (200, b'{"message": "drained"}', Heard.DONE),
        (202, b"", Heard.UNDER_WAY),
        (409, b'{"message": "it is waking up"}', Heard.REFUSED),
        (501, b"{", Heard.UNABLE),
        (401, b'{"error": "The token is missing or wrong."}', Heard.DEAF),
        (403, b"[]", Heard.DEAF),
        (404, b"not found", Heard.DEAF),
        (503, b"", Heard.SILENT),
        (500, b"\xff", Heard.SILENT),
    ],
)
def test_each_status_has_one_meaning_whatever_stands_below_it(status: int, body: bytes, heard: Heard) -> None:
    assert taken(status, body).heard is heard


def test_a_try_that_failed_at_the_engine_is_told_apart_from_one_under_way() -> None:
    assert taken(202, b'{"message": "waking; the last try failed: no token"}').trouble == "no token"
    assert taken(202, b'{"message": "waking"}').trouble == ""


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"gate": "ajar", "asleep": 0, "in_flight": true, "pod": 3}', b'{"in_flight": -1}'],
)
def test_what_cannot_be_read_of_a_replica_is_unknown(body: bytes) -> None:
    assert found(200, body) == Found("", None, None, None)
