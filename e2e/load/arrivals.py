"""When requests are sent, and how long they are: drawn by seed, or read from a file."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Arrival(NamedTuple):
    at_seconds: float
    prompt_tokens: int
    output_tokens: int


def steady(rate: float, seconds: float, prompt_tokens: int, output_tokens: int, seed: int) -> Iterator[Arrival]:
    """A Poisson process."""
    chance = random.Random(seed)  # noqa: S311 - draws a load, guards nothing
    at = chance.expovariate(rate)
    while at < seconds:
        yield Arrival(at, prompt_tokens, output_tokens)
        at += chance.expovariate(rate)


def from_file(path: Path) -> Iterator[Arrival]:
    """Columns arrival_s, prompt_tokens, output_tokens."""
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield Arrival(float(row["arrival_s"]), int(row["prompt_tokens"]), int(row["output_tokens"]))
