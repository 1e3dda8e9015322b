"""What the moments of tokens say of the engine's steps, each of which gives every stream that decodes one token."""

from bisect import bisect_right
from collections.abc import Sequence

from stoker.cli.openai.streaming import Streamed
from stoker.sim.calibration import Together

_LEAST_GAPS = 4


def step_of(answers: list[Streamed]) -> Together | None:
    """Over the span in which all of them decode; None where it is too short to tell."""
    begins, ends = max(one.moments[0] for one in answers), min(one.moments[-1] for one in answers)
    gaps = held = 0.0
    for one in answers:
        inside = [moment for moment in one.moments if begins <= moment <= ends]
        if len(inside) <= _LEAST_GAPS:
            return None
        each = one.tokens / len(one.moments)  # an event may hold more than one token
        gaps += each * (len(inside) - 1) / (inside[-1] - inside[0])
        before = sum(moment < begins for moment in one.moments)
        held += (one.prompt_tokens or 0) + each * (before + len(inside) / 2)
    return Together(len(answers), held, len(answers) / gaps)


def most_at_once(answers: list[Streamed]) -> int:
    """Streams between their first and last token at one moment."""
    changes = sorted(
        [(one.moments[0], 1) for one in answers] + [(one.moments[-1], -1) for one in answers],
        key=lambda change: (change[0], -change[1]),
    )
    most = now = 0
    for _, step in changes:
        now += step
        most = max(most, now)
    return most


def mean_step(answers: Sequence[Streamed]) -> Together | None:
    """Over all spans from a stream's first token to its last, each seen with all others beside it; None without any.

    What one stream's span says is rough at both ends; those of many streams even that out.
    """
    steps = seconds = decoded = cached = prompts = 0.0
    for one in answers:
        begins, ends = one.moments[0], one.moments[-1]
        steps += one.tokens * (1 - 1 / len(one.moments))
        seconds += ends - begins
        for beside in answers:
            tokens, held = _decoded_between(beside, begins, ends)
            decoded += tokens
            cached += tokens * held
            if begins < beside.moments[0] <= ends:
                prompts += beside.prompt_tokens or 0
    if not steps or not seconds:
        return None
    return Together(decoded / steps, (cached + prompts) / steps, seconds / steps, prompts / steps)


def _decoded_between(one: Streamed, begins: float, ends: float) -> tuple[float, float]:
    """How many of its tokens but the first came, and how many it held in the cache at them, in the mean."""
    since = max(1, bisect_right(one.moments, begins))
    until = bisect_right(one.moments, ends)
    each = one.tokens / len(one.moments)
    return each * max(0, until - since), (one.prompt_tokens or 0) + each * (since + until - 1) / 2
