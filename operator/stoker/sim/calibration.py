"""A replica's model from what a client saw of it. Pure arithmetic.

One request alone, with p prompt tokens in ⌈p/chunk⌉ steps:      first token = o + steps·(a + g·p) + b_p·p
n streams, k tokens in the cache, p of new prompts a step:       step        = a + b_p·p + b_d·n + g·k

o is what every request spends on its way. All five are found together by least squares of the relative errors, none
below zero: of all subsets of them, the best one whose solution has no negative part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil
from statistics import median

from stoker_runtime.simulated.timing import Replica, StepCost

Row = tuple[float, ...]
_A, _B_P, _B_D, _G, _O = range(5)
_SINGULAR = 1e-12


@dataclass(frozen=True)
class Alone:
    """A request with nobody beside it."""

    prompt_tokens: int
    first_token_seconds: float


@dataclass(frozen=True)
class Together:
    """The mean step while streams decode at once, with the prompts that came among its steps."""

    streams: float
    cached_tokens: float
    step_seconds: float
    prompt_tokens: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What a client cannot take from times alone."""

    kv_tokens: int
    max_sequences: int
    step_tokens: int


class CalibrationError(Exception):
    """A sentence that says what is missing."""


@dataclass(frozen=True)
class Calibrated:
    replica: Replica
    on_the_way_seconds: float
    prefill_error: float
    """Median relative distance of what was measured from the model."""
    decode_error: float


def calibrated(alone: Sequence[Alone], together: Sequence[Together], limits: Limits) -> Calibrated:
    """Raises CalibrationError where the measurements cannot tell the parts of the model from each other."""
    if len({one.prompt_tokens for one in alone}) < 2:
        raise CalibrationError("prompts of two lengths at least must have been answered")
    if len({one.streams for one in together}) < 2:
        raise CalibrationError("two numbers of streams at least must have run at once")
    rows = [_alone(one, limits.step_tokens) for one in alone] + [_together(one) for one in together]
    seconds = [one.first_token_seconds for one in alone] + [one.step_seconds for one in together]
    found = least_squares(
        [tuple(value / second for value in row) for row, second in zip(rows, seconds, strict=True)],
        [1.0] * len(rows),
    )
    errors = [
        abs(sum(x * y for x, y in zip(row, found, strict=True)) / second - 1.0)
        for row, second in zip(rows, seconds, strict=True)
    ]
    return Calibrated(
        Replica(
            StepCost(found[_A], found[_B_P], found[_B_D], found[_G]),
            limits.kv_tokens,
            limits.max_sequences,
            max(limits.step_tokens, limits.max_sequences),
        ),
        found[_O],
        median(errors[: len(alone)]),
        median(errors[len(alone) :]),
    )


def _alone(one: Alone, step_tokens: int) -> Row:
    steps = ceil(one.prompt_tokens / step_tokens)
    return float(steps), float(one.prompt_tokens), 0.0, float(steps * one.prompt_tokens), 1.0


def _together(one: Together) -> Row:
    return 1.0, one.prompt_tokens, one.streams, one.cached_tokens, 0.0


def least_squares(rows: Sequence[Row], values: Sequence[float]) -> list[float]:
    """The solution without a negative part. With so few unknowns every subset of them is tried."""
    width = len(rows[0])
    products = [[sum(row[i] * row[j] for row in rows) for j in range(width)] for i in range(width)]
    targets = [sum(row[i] * value for row, value in zip(rows, values, strict=True)) for i in range(width)]
    best, least = [0.0] * width, sum(value * value for value in values)
    for size in range(1, width + 1):
        for chosen in combinations(range(width), size):
            solved = _solved([[products[i][j] for j in chosen] for i in chosen], [targets[i] for i in chosen])
            if solved is None or min(solved) < 0.0:
                continue
            # |Xw - y|² at the least-squares solution w is y'y - w'X'y.
            squares = sum(value * value for value in values) - sum(
                weight * targets[index] for weight, index in zip(solved, chosen, strict=True)
            )
            if squares < least - 1e-12:
                best, least = [0.0] * width, squares
                for weight, index in zip(solved, chosen, strict=True):
                    best[index] = weight
    return best


def _solved(matrix: list[list[float]], values: list[float]) -> list[float] | None:
    """By elimination, scaled so that a nanosecond's column weighs as much as a second's; None where it is singular."""
    size = len(values)
    scale = [matrix[i][i] ** 0.5 or 1.0 for i in range(size)]
    work = [[*(matrix[i][j] / (scale[i] * scale[j]) for j in range(size)), values[i] / scale[i]] for i in range(size)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda i: abs(work[i][column]))
        if abs(work[pivot][column]) < _SINGULAR:
            return None
        work[column], work[pivot] = work[pivot], work[column]
        for i in range(size):
            if i != column:
                factor = work[i][column] / work[column][column]
                work[i] = [x - factor * y for x, y in zip(work[i], work[column], strict=True)]
    return [work[i][size] / work[i][i] / scale[i] for i in range(size)]
