"""What the simulator's replica makes of arrivals, one request after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

from stoker.sim.request import NEVER, Request
from stoker.sim.server import Server
from stoker_runtime.simulated.timing import Replica


@dataclass(frozen=True)
class Sent:
    at_seconds: float
    prompt_tokens: int
    answer_tokens: int


@dataclass(frozen=True)
class Answered:
    first_token_seconds: float
    token_seconds: float | None  # mean gap; None for an answer of one token
    ended_seconds: float  # since it was sent


@dataclass(frozen=True)
class Level:
    """What is compared: medians over requests, and by Little's law how many were there at once."""

    ttft_seconds: float
    itl_seconds: float
    in_flight: float


def predicted(replica: Replica, sent: Sequence[Sent], on_the_way_seconds: float) -> list[Answered]:
    server = Server(replica)
    requests = []
    for number, one in enumerate(sent):
        _run(server, one.at_seconds)
        request = Request(number, one.at_seconds, one.prompt_tokens, one.answer_tokens)
        requests.append(request)
        server.submit(request, one.at_seconds)
    _run(server, inf)
    return [_answered(request, on_the_way_seconds) for request in requests if request.ended != NEVER]


def _run(server: Server, until: float) -> None:
    while server.next_at < until:
        server.progress()


def _answered(request: Request, on_the_way_seconds: float) -> Answered:
    gaps = request.output_tokens - 1
    return Answered(
        request.first - request.arrived + on_the_way_seconds,
        (request.ended - request.first) / gaps if gaps > 0 else None,
        request.ended - request.arrived + on_the_way_seconds,
    )


def level_of(sent: Sequence[Sent], answered: Sequence[Answered]) -> Level:
    span = max(one.at_seconds + answer.ended_seconds for one, answer in zip(sent, answered, strict=True))
    gaps = [answer.token_seconds for answer in answered if answer.token_seconds is not None]
    return Level(
        median(answer.first_token_seconds for answer in answered),
        median(gaps),
        sum(answer.ended_seconds for answer in answered) / (span - sent[0].at_seconds),
    )
