"""How files are cut into parts, and in which order the parts are fetched."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")
Span = tuple[int, int]


def missing_spans(size_bytes: int, done: Iterable[Span], part_bytes: int) -> Iterator[Span]:
    """What is not there yet, in parts of at most `part_bytes`."""
    at = 0
    for first, end in [*sorted(done), (size_bytes, size_bytes)]:
        while at < first:
            yield at, min(at + part_bytes, first)
            at = min(at + part_bytes, first)
        at = max(at, end)


def ready_bytes(done: Iterable[Span]) -> int:
    """How long the beginning without a gap is."""
    at = 0
    for first, end in sorted(done):
        if first > at:
            break
        at = max(at, end)
    return at


def interleaved(queues: Sequence[Iterable[_T]], lanes: int) -> Iterator[_T]:
    """`lanes` files at a time, in turns: each file's digest is one thread's work, and so keeps that many busy."""
    waiting = iter(queues)
    running = [iter(queue) for _, queue in zip(range(lanes), waiting, strict=False)]
    while running:
        for place, queue in reversed(list(enumerate(running))):
            try:
                yield next(queue)
            except StopIteration:
                following = next(waiting, None)
                if following is None:
                    del running[place]
                else:
                    running[place] = iter(following)
