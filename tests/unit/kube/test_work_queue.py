"""Every key is looked at when it should be, one at a time, whatever happens to the others."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.kube.backoff import Backoff
from stoker.kube.work_queue import WorkQueue
from tests.virtual_time import run_in_virtual_time

Look = Callable[[str], Awaitable[float | None]]


class Looks:
    """Notes when each key was looked at, and fails if one is looked at twice at a time."""

    def __init__(self, takes_seconds: float = 0.0, again: float | None = None, failures: Iterable[str] = ()) -> None:
        self.at: list[tuple[float, str]] = []
        self.succeeded: dict[str, float] = {}  # when the last look that succeeded began
        self.most_at_once = 0
        self._takes_seconds, self._again = takes_seconds, again
        self._failures = Counter(failures)
        self._running: set[str] = set()

    async def __call__(self, key: str) -> float | None:
        assert key not in self._running, f"{key} is looked at twice at a time"
        began = asyncio.get_running_loop().time()
        self.at.append((round(began, 3), key))
        self._running.add(key)
        self.most_at_once = max(self.most_at_once, len(self._running))
        await asyncio.sleep(self._takes_seconds)
        self._running.discard(key)
        if self._failures[key]:
            self._failures[key] -= 1
            raise RuntimeError("as told")
        self.succeeded[key] = began
        return self._again

    def times(self) -> list[float]:
        return [at for at, name in self.at if name == "a"]


def played(looks: Looks, steps: Iterable[tuple[float, str]], until: float = 1000.0, workers: int = 2) -> None:
    """Adds keys at the given times and runs until the given time."""

    async def play() -> None:
        queue: WorkQueue[str] = WorkQueue(looks, workers, lambda: Backoff(first_seconds=1.0, most_seconds=8.0))
        running = asyncio.create_task(queue.run())
        loop = asyncio.get_running_loop()
        for at, key in steps:
            loop.call_at(at, queue.add, key)
        await asyncio.sleep(until)
        queue.stop()
        await running

    run_in_virtual_time(play())


def test_a_key_that_is_added_often_before_its_turn_is_looked_at_once() -> None:
    looks = Looks(takes_seconds=10)
    played(looks, [(0, "x"), (0, "y"), (1, "a"), (2, "a"), (3, "a")])
    assert looks.times() == [10]


def test_a_key_that_is_added_while_it_is_looked_at_is_looked_at_once_more() -> None:
    looks = Looks(takes_seconds=10)
    played(looks, [(0, "a"), (1, "a"), (2, "a")])
    assert looks.times() == [0, 10]


def test_no_more_keys_are_looked_at_at_once_than_there_are_workers() -> None:
    looks = Looks(takes_seconds=5)
    played(looks, [(0, str(index)) for index in range(20)], workers=3)
    assert looks.most_at_once == 3
    assert len(looks.at) == 20


def test_a_key_that_asks_for_another_look_gets_it_in_time() -> None:
    looks = Looks(again=60)
    played(looks, [(0, "a")], until=200)
    assert looks.times() == [0, 60, 120, 180]


def test_an_earlier_event_stands_in_for_the_later_look() -> None:
    looks = Looks(again=60)
    played(looks, [(0, "a"), (50, "a")], until=120)
    assert looks.times() == [0, 50, 110]


def test_a_failing_key_is_tried_again_later_and_later_and_then_at_ease() -> None:
    looks = Looks(failures=5 * ["a"])
    played(looks, [(0, "a")])
    gaps = [later - earlier for earlier, later in zip(looks.times(), looks.times()[1:], strict=False)]
    assert len(gaps) == 5
    for gap, whole in zip(gaps, [1, 2, 4, 8, 8], strict=True):
        assert whole / 2 <= gap <= whole


def test_a_key_that_worked_again_starts_with_short_waits_when_it_fails_anew() -> None:
    looks = Looks(failures=["a", "a", "a"])
    played(looks, [(0, "a")])
    looks_again = Looks(failures=["a"])
    played(looks_again, [(0, "a"), (500, "a")])
    assert looks_again.times()[1] <= 1
    assert looks_again.times()[-1] == 500


def test_one_key_that_fails_for_ever_keeps_no_other_waiting() -> None:
    looks = Looks(failures=1000 * ["bad"])
    played(looks, [(0, "bad"), *((float(second), "a") for second in range(1, 100))], workers=1)
    assert looks.times() == [float(second) for second in range(1, 100)]


def test_a_change_may_be_the_remedy_but_a_stream_of_changes_is_no_loop() -> None:
    looks = Looks(failures=1000 * ["a"])
    played(looks, [(index / 100, "a") for index in range(1000)], until=10)
    assert 10 <= len(looks.times()) <= 21


def test_stopping_waits_for_what_is_looked_at_and_starts_nothing_new() -> None:
    looks = Looks(takes_seconds=30)
    played(looks, [(0, "a"), (0, "b"), (0, "c")], until=10)
    assert len(looks.at) == 2
    assert len(looks.succeeded) == 2


def test_a_queue_is_as_long_as_the_keys_that_wait() -> None:
    async def play() -> list[int]:
        queue: WorkQueue[str] = WorkQueue(Looks())
        lengths = [len(queue)]
        for key in ("a", "b", "a"):
            queue.add(key)
            lengths.append(len(queue))
        return lengths

    assert run_in_virtual_time(play()) == [0, 1, 2, 2]


def test_a_queue_is_idle_once_everything_that_waited_was_looked_at() -> None:
    async def play() -> float:
        queue: WorkQueue[str] = WorkQueue(Looks(takes_seconds=10), workers=2)
        running = asyncio.create_task(queue.run())
        for key in ("a", "b", "c"):
            queue.add(key)
        await queue.wait_until_idle()
        idle_at = asyncio.get_running_loop().time()
        queue.stop()
        await running
        return idle_at

    assert run_in_virtual_time(play()) == 20


def hundredths(upto: int) -> st.SearchStrategy[float]:
    """Times that a loop's clock can tell apart."""
    return st.integers(0, upto * 100).map(lambda count: count / 100)


@pytest.mark.parametrize("workers", [1, 3])
@given(
    steps=st.lists(st.tuples(hundredths(upto=50), st.sampled_from("abcd")), max_size=40),
    takes=hundredths(upto=5),
    failures=st.lists(st.sampled_from("abcd"), max_size=6),
)
def test_after_its_last_event_every_key_is_looked_at_with_success(
    workers: int, steps: list[tuple[float, str]], takes: float, failures: list[str]
) -> None:
    looks = Looks(takes_seconds=takes, failures=failures)
    played(looks, steps, workers=workers)
    for key in {key for _, key in steps}:
        assert looks.succeeded[key] >= max(at for at, name in steps if name == key)
