"""What is being done, and how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Steps:
    """Each is announced before it begins, since some take minutes."""

    count: int
    took: list[tuple[float, str]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, note: str = "") -> Iterator[None]:
        say(f"\n[{len(self.took) + 1}/{self.count}] {name}{f' ({note})' if note else ''}")
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self.took.append((seconds, name))
        say(f"  {seconds:5.1f} s  done")

    def figures(self) -> list[str]:
        total = sum(seconds for seconds, _ in self.took)
        return [f"  {seconds:6.1f} s  {name}" for seconds, name in (*self.took, (total, "all of it"))]


def say(line: str) -> None:
    """At once, also where somebody reads through a pipe."""
    print(line, flush=True)


def detail(text: str) -> None:
    say(f"           {text}")
