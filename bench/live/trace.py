"""The spike: a Poisson process of 2, then 12, then again 2 requests a second."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

PHASES = ((60.0, 2.0), (150.0, 12.0), (120.0, 2.0))  # seconds, requests a second
PROMPT_TOKENS = 200

Arrival = tuple[float, int, int]


def spike(seed: int, output_tokens: int) -> Iterator[Arrival]:
    chance = random.Random(seed)  # noqa: S311 - draws a load, guards nothing
    began = 0.0
    for seconds, rate in PHASES:
        at = began + chance.expovariate(rate)
        while at < began + seconds:
            yield at, PROMPT_TOKENS, output_tokens
            at += chance.expovariate(rate)
        began += seconds


def write(arrivals: Iterator[Arrival], path: Path) -> Path:
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("arrival_s", "prompt_tokens", "output_tokens"))
        lines.writerows((f"{at:.3f}", prompt, output) for at, prompt, output in arrivals)
    return path
