"""What became of a request, as its client saw it."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Everything but FINISHED is a user's error."""

    FINISHED = "finished"
    REFUSED = "refused"  # 429 or 503
    FAILED = "failed"  # another status
    CUT = "cut"  # the connection ended before the answer did
    UNREACHABLE = "unreachable"  # no connection, or none that answered
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Answered:
    """One request. Times are seconds since it was sent."""

    sent_at_seconds: float  # since the load began
    outcome: Outcome
    first_token_seconds: float | None
    ended_seconds: float
    server: str  # who answered; empty: nobody said
    detail: str = ""


def summary(answers: list[Answered], objective_seconds: float) -> dict[str, object]:
    firsts = sorted(answer.first_token_seconds for answer in answers if answer.first_token_seconds is not None)
    late = [
        answer.sent_at_seconds
        for answer in answers
        if answer.outcome is Outcome.FINISHED and (answer.first_token_seconds or 0.0) > objective_seconds
    ]
    failed = sorted(answer.sent_at_seconds for answer in answers if answer.outcome is not Outcome.FINISHED)
    inside = sum(answer.outcome is Outcome.FINISHED for answer in answers) - len(late)
    return {
        "sent": len(answers),
        "outcomes": dict(Counter(answer.outcome.value for answer in answers)),
        "failed_at_seconds": [round(at, 2) for at in failed[:5]],
        "late": len(late),
        "late_by_half_minute": _by_half_minute(late),
        "inside_objective_percent": round(100 * inside / len(answers), 2) if answers else None,
        "first_token_p50_seconds": _quantile(firsts, 0.5),
        "first_token_p99_seconds": _quantile(firsts, 0.99),
        "servers": dict(Counter(answer.server for answer in answers if answer.server)),
        "details": dict(Counter(answer.detail for answer in answers if answer.detail).most_common(5)),
    }


def _by_half_minute(moments: list[float]) -> list[int]:
    found = Counter(int(at // 30) for at in moments)
    return [found[index] for index in range(max(found, default=-1) + 1)]


def _quantile(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 4) if ordered else None
