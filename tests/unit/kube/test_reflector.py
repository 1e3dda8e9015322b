"""The local picture stays true whatever the API server, or the network before it, does."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from stoker.handlers.health import LONGEST_SILENCE_SECONDS
from stoker.kube.backoff import Backoff
from stoker.kube.reflector import SILENT_SECONDS, WATCH_WITHOUT_BOOKMARKS_SECONDS, Reflector, Scope
from stoker.kube.resources import Key, Resource
from tests.unit.kube.scripted_server import Handler, ScriptedServer, end_of, item, listing, refusal, watching

CONFIG_MAPS = Scope(Resource("", "v1", "configmaps"))
A, B, C = Key("ns", "a"), Key("ns", "b"), Key("ns", "c")


def data_of(raw: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(raw["data"].items()))


@dataclass
class Observed:
    """What a reflector saw of a script, and what it told of it."""

    changes: list[tuple[Key, object, object]] = field(default_factory=list)
    picture: dict[Key, object] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    arrived: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    def note(self, key: Key, old: object, new: object) -> None:
        self.arrived[key.name].set()
        if not key.name.startswith("end-"):
            self.changes.append((key, old, new))


async def played(*script: Handler, until: int, silent_seconds: float = 30.0, ends: bool = True) -> Observed:
    """Runs until the server was asked `until` times, and all that its last watch had to say has been taken in."""
    observed, server = Observed(), ScriptedServer(*script)
    async with server.serving() as connection:
        backoff = Backoff(first_seconds=0.01, most_seconds=0.02)
        reflector = Reflector(connection, CONFIG_MAPS, data_of, observed.note, silent_seconds, backoff)
        async with asyncio.timeout(10), running(reflector):
            await server.was_asked(until)
            if ends:
                await observed.arrived[end_of(until)].wait()
        observed.picture = {key: value for key, value in reflector.items() if not key.name.startswith("end-")}
        observed.asked = server.asked
    return observed


@asynccontextmanager
async def running(reflector: Reflector[Any]) -> AsyncIterator[None]:
    task = asyncio.create_task(reflector.run())
    yield
    assert not task.done(), task.exception()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_nothing_is_known_before_the_first_whole_list() -> None:
    server = ScriptedServer(listing(5, item("a", 1), more="next"))
    async with server.serving() as connection:
        reflector = Reflector(connection, CONFIG_MAPS, data_of, lambda *_: None)
        async with asyncio.timeout(10), running(reflector):
            await server.was_asked(2)
            assert not reflector.synced
            assert len(reflector) == 0
            assert reflector.silence_seconds() == float("inf")


async def test_what_may_not_be_read_is_known_from_what_was_not_read_yet() -> None:
    failing, forbidden = refusal(500, "InternalError"), refusal(403, "Forbidden")
    server = ScriptedServer(failing, failing, forbidden, listing(5), watching())
    async with server.serving() as connection:
        backoff = Backoff(first_seconds=0.01, most_seconds=0.02)
        reflector = Reflector(connection, CONFIG_MAPS, data_of, lambda *_: None, backoff=backoff)
        answered = asyncio.create_task(reflector.wait_until_answered())
        async with asyncio.timeout(10), running(reflector):
            await server.was_asked(2)
            assert not answered.done(), "a server that fails has not said no"
            await answered
            assert not reflector.synced
            await reflector.wait_until_synced()


async def test_pages_make_one_picture() -> None:
    observed = await played(
        listing(5, item("a", 1), item("b", 2), more="next"), listing(5, item("c", 3)), watching(), until=3
    )
    assert observed.picture.keys() == {A, B, C}
    assert observed.asked[1]["continue"] == "next"
    assert observed.asked[2]["resourceVersion"] == "5"


async def test_a_page_token_that_expired_begins_the_list_again() -> None:
    observed = await played(
        listing(5, item("a", 1), more="next"), refusal(410, "Expired"), listing(6, item("b", 2)), watching(), until=4
    )
    assert observed.picture.keys() == {B}
    assert observed.changes == [(B, None, ())]


async def test_events_are_followed() -> None:
    observed = await played(
        listing(5, item("a", 1, x="1")),
        watching(("ADDED", item("b", 6)), ("MODIFIED", item("a", 7, x="2")), ("DELETED", item("b", 8))),
        until=2,
    )
    assert observed.picture == {A: (("x", "2"),)}
    assert observed.changes == [
        (A, None, (("x", "1"),)),
        (B, None, ()),
        (A, (("x", "1"),), (("x", "2"),)),
        (B, (), None),
    ]


async def test_a_change_of_what_nobody_looks_at_is_not_told() -> None:
    observed = await played(listing(5, item("a", 1, x="1")), watching(("MODIFIED", item("a", 6, x="1"))), until=2)
    assert len(observed.changes) == 1


async def test_a_repeated_event_is_not_told_twice() -> None:
    twice = ("ADDED", item("a", 6))
    observed = await played(
        listing(5), watching(twice, twice, ("DELETED", item("a", 7)), ("DELETED", item("a", 7))), until=2
    )
    assert [new for _, _, new in observed.changes] == [(), None]


async def test_a_dropped_stream_goes_on_from_the_last_event_without_a_list() -> None:
    observed = await played(
        listing(5, item("a", 1)),
        watching(("ADDED", item("b", 6)), then="drop"),
        watching(("ADDED", item("c", 7))),
        until=3,
    )
    assert observed.picture.keys() == {A, B, C}
    assert observed.asked[2]["resourceVersion"] == "6"


async def test_a_bookmark_moves_the_place_to_go_on_from() -> None:
    bookmark = ("BOOKMARK", {"metadata": {"resourceVersion": "99"}})
    observed = await played(listing(5, item("a", 1)), watching(bookmark, then="drop"), watching(), until=3)
    assert observed.asked[2]["resourceVersion"] == "99"
    assert observed.picture.keys() == {A}


async def test_what_was_deleted_while_nobody_watched_is_told_after_the_next_list() -> None:
    gone = ("ERROR", {"code": 410, "reason": "Expired", "message": "too old"})
    observed = await played(
        listing(5, item("a", 1), item("b", 2)), watching(gone), listing(9, item("b", 2)), watching(), until=4
    )
    assert observed.picture.keys() == {B}
    assert observed.changes[-1] == (A, (), None)
    assert len(observed.changes) == 3


async def test_the_picture_stays_while_the_server_cannot_be_asked() -> None:
    observed = await played(
        listing(5, item("a", 1)),
        watching(then="drop"),
        refusal(500, "InternalError"),
        refusal(503, "ServiceUnavailable"),
        refusal(410, "Gone"),
        refusal(429, "TooManyRequests"),
        until=6,
        ends=False,
    )
    assert observed.picture.keys() == {A}
    assert len(observed.changes) == 1


async def test_a_server_that_asks_for_patience_gets_it() -> None:
    began = asyncio.get_running_loop().time()
    await played(refusal(429, "TooManyRequests", retry_after="0.4"), listing(1), watching(), until=3)
    assert asyncio.get_running_loop().time() - began >= 0.4


async def test_a_stream_that_falls_silent_is_given_up_for_a_new_one() -> None:
    observed = await played(
        listing(5), watching(("ADDED", item("a", 6))), watching(("ADDED", item("b", 7))), until=3, silent_seconds=0.2
    )
    assert observed.picture.keys() == {A, B}
    assert observed.asked[2]["resourceVersion"] == "6"


async def test_a_watch_that_the_server_ends_in_order_was_heard_of_though_it_said_nothing() -> None:
    server = ScriptedServer(listing(5), watching(then="end", after_seconds=1.1), watching())
    async with server.serving() as connection:
        reflector = Reflector(connection, CONFIG_MAPS, data_of, lambda *_: None)
        async with asyncio.timeout(10), running(reflector):
            await server.was_asked(3)
            assert reflector.silence_seconds() < 1


def test_a_watch_without_bookmarks_ends_before_it_counts_as_broken() -> None:
    assert max(WATCH_WITHOUT_BOOKMARKS_SECONDS) < SILENT_SECONDS < LONGEST_SILENCE_SECONDS


async def test_a_stream_that_ends_at_once_every_time_is_not_asked_for_in_a_loop() -> None:
    script = [listing(5), *(watching(then="end") for _ in range(1000))]
    server = ScriptedServer(*script)
    async with server.serving() as connection:
        reflector = Reflector(connection, CONFIG_MAPS, data_of, lambda *_: None, backoff=Backoff(0.05, 0.4))
        async with running(reflector):
            await asyncio.sleep(1.0)
    assert len(server.asked) < 12


async def test_garbage_on_the_stream_is_a_broken_stream_and_no_news() -> None:
    observed = await played(
        listing(5, item("a", 1)),
        watching(raw=b'{"type": "DELETED", "obj\n'),
        watching(("ADDED", item("b", 6))),
        until=3,
    )
    assert observed.picture.keys() == {A, B}


async def test_an_event_that_was_cut_in_the_middle_is_no_event() -> None:
    half = b'{"type": "DELETED", "object": {"metadata": {"namespace": "ns", "name": "a", "resourceVersion": "6"}'
    observed = await played(listing(5, item("a", 1)), watching(raw=half, then="drop"), watching(), until=3)
    assert observed.picture.keys() == {A}
    assert observed.asked[2]["resourceVersion"] == "5"


async def test_an_event_of_a_megabyte_arrives_whole() -> None:
    observed = await played(listing(5), watching(("ADDED", item("a", 6, x="y" * 2**20))), until=2)
    assert observed.picture == {A: (("x", "y" * 2**20),)}


async def test_one_object_that_cannot_be_read_hides_no_other_and_does_not_look_deleted() -> None:
    odd = {"metadata": {"namespace": "ns", "name": "a", "resourceVersion": "7"}}
    observed = await played(
        listing(5, item("a", 1, x="1")), watching(("MODIFIED", odd), ("ADDED", item("b", 8))), until=2
    )
    assert observed.picture == {A: (("x", "1"),), B: ()}
    relisted = await played(
        listing(5, item("a", 1, x="1")),
        watching(("ERROR", {"code": 410, "reason": "Expired"})),
        listing(9, odd, item("b", 8)),
        watching(),
        until=4,
    )
    assert relisted.picture == {A: (("x", "1"),), B: ()}
