"""What is asked of a replica, in rounds, so that a disturbance meets all points alike.

A round is every prompt length alone, then 1, 2, 4, … streams at once with short prompts, then some streams with long
ones, which tells the cost of the cache from that of a sequence. The last number of streams shows how many run at once.
Then requests come one after the other on some connections, as users send them, at last on more than run at once: an
engine with prompts among its steps, and answers to send meanwhile, is slower than its parts measured apart. Kept is
the mean over all rounds, since what many steps take is a sum.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from stoker.cli.calibrate.endpoint import Endpoint
from stoker.cli.calibrate.steps import mean_step, most_at_once, step_of
from stoker.cli.openai.server import model_served, prompt_of, session_with
from stoker.cli.openai.streaming import Streamed
from stoker.sim.calibration import Alone, Calibrated, Limits, Together

_REQUESTS_OF_A_CONNECTION = 3
_UNKNOWN_KV_TOKENS = 1_000_000


@dataclass(frozen=True)
class Plan:
    prompt_tokens: tuple[int, ...]
    most_streams: int
    answer_tokens: int
    seconds: float


@dataclass
class Measured:
    alone: list[Alone]
    together: list[Together]
    rounds: int
    most_at_once: int
    """Streams that were seen to decode at one moment."""
    queued: bool
    """More were asked for than ran."""
    kv_tokens: int | None
    seconds: float = 0.0

    def limits(self, kv_tokens: int | None, step_tokens: int) -> Limits:
        return Limits(kv_tokens or self.kv_tokens or _UNKNOWN_KV_TOKENS, max(1, self.most_at_once), step_tokens)

    def remarks(self, fitted: Calibrated, limits: Limits) -> list[str]:
        first, step = 100 * fitted.prefill_error, 100 * fitted.decode_error
        off = f"the model is off by {first:.0f} % at a first token and {step:.0f} % at a step, in the median"
        lines = [f"{self.rounds} rounds in {self.seconds:.0f} s; {off}"]
        if not self.queued:
            lines.append(f"max_sequences: at least {self.most_at_once}: all streams ran at once; --most asks for more")
        if limits.kv_tokens == _UNKNOWN_KV_TOKENS:
            lines.append("kv_tokens: the engine does not say: give --kv-tokens, or the cache is taken for endless")
        return lines

    def about(self, fitted: Calibrated) -> dict[str, Any]:
        return {
            "rounds": self.rounds,
            "on_the_way_seconds": round(fitted.on_the_way_seconds, 5),
            "median_error_of_first_tokens": round(fitted.prefill_error, 3),
            "median_error_of_steps": round(fitted.decode_error, 3),
            "most_streams_at_once": self.most_at_once,
        }


@dataclass
class _Gathered:
    firsts: dict[int, list[Alone]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[tuple[int, int], list[Together]] = field(default_factory=lambda: defaultdict(list))
    mixed: dict[int, list[Together]] = field(default_factory=lambda: defaultdict(list))
    most_at_once: int = 0
    queued: bool = False


async def measured(base: str, model: str | None, plan: Plan, headers: Mapping[str, str] | None = None) -> Measured:
    async with session_with(headers or {}) as session:
        endpoint = Endpoint(session, base, model or await model_served(session, base))
        return await _Asking(endpoint, plan).all_rounds()


class _Asking:
    def __init__(self, endpoint: Endpoint, plan: Plan) -> None:
        self._endpoint = endpoint
        self._plan = plan
        self._chance = random.Random()  # noqa: S311 - draws prompts, guards nothing
        self._words_of_a_token = 1.0
        self._found = _Gathered()

    async def all_rounds(self) -> Measured:
        loop = asyncio.get_running_loop()
        began = loop.time()
        kv_tokens = await self._endpoint.kv_tokens()
        await self._warm_up()
        rounds, longest = 0, 0.0
        while not rounds or loop.time() - began + longest < self._plan.seconds:
            since = loop.time()
            await self._round()
            rounds, longest = rounds + 1, max(longest, loop.time() - since)
        found = self._found
        return Measured(
            [_first_of_all(same) for same in found.firsts.values()],
            [_step_of_all(same) for same in (*found.steps.values(), *found.mixed.values())],
            rounds,
            found.most_at_once,
            found.queued,
            kv_tokens,
            loop.time() - began,
        )

    async def _warm_up(self) -> None:
        """The first request captures and compiles; it also says how many tokens a word has."""
        answer = await self._endpoint.complete(self._prompt(64), 4)
        if answer.prompt_tokens:
            self._words_of_a_token = 64 / answer.prompt_tokens

    async def _round(self) -> None:
        plan = self._plan
        for length in self._chance.sample(plan.prompt_tokens, len(plan.prompt_tokens)):
            answer = await self._endpoint.complete(self._prompt(length), 1)
            alone = Alone(answer.prompt_tokens or length, answer.moments[0] - answer.asked_at)
            self._found.firsts[length].append(alone)
        short, long = min(plan.prompt_tokens), max(plan.prompt_tokens)
        streams = 1
        while streams < plan.most_streams:
            await self._together(streams, short)
            streams *= 2
        await self._together(plan.most_streams, short)
        for streams in (2, min(8, plan.most_streams)):
            await self._together(streams, long)
        for connections in sorted({max(2, plan.most_streams // part) for part in (plan.most_streams, 4, 2, 1)}):
            await self._mixed(connections)

    async def _mixed(self, connections: int) -> None:
        answers = await asyncio.gather(*(self._one_after_the_other() for _ in range(connections)))
        step = mean_step([answer for of_one in answers for answer in of_one])
        if step is not None:
            self._found.mixed[connections].append(step)

    async def _one_after_the_other(self) -> list[Streamed]:
        plan, chance = self._plan, self._chance
        answers = []
        for _ in range(_REQUESTS_OF_A_CONNECTION):
            prompt = self._prompt(chance.randint(min(plan.prompt_tokens), max(plan.prompt_tokens)))
            answers.append(
                await self._endpoint.complete(prompt, chance.randint(plan.answer_tokens // 2 + 1, plan.answer_tokens))
            )
        return answers

    async def _together(self, streams: int, prompt_tokens: int) -> None:
        asked = [self._endpoint.complete(self._prompt(prompt_tokens), self._plan.answer_tokens) for _ in range(streams)]
        answers = await asyncio.gather(*asked)
        at_once = most_at_once(answers)
        self._found.most_at_once = max(self._found.most_at_once, at_once)
        if at_once < streams:
            self._found.queued = True
            return  # those that queued begin when others end
        step = step_of(answers)
        if step is not None:
            self._found.steps[streams, prompt_tokens].append(step)

    def _prompt(self, tokens: int) -> str:
        return prompt_of(self._chance, max(1, round(tokens * self._words_of_a_token)))


def _first_of_all(same: list[Alone]) -> Alone:
    return Alone(round(fmean(one.prompt_tokens for one in same)), fmean(one.first_token_seconds for one in same))


def _step_of_all(same: list[Together]) -> Together:
    return Together(
        fmean(one.streams for one in same),
        fmean(one.cached_tokens for one in same),
        fmean(one.step_seconds for one in same),
        fmean(one.prompt_tokens for one in same),
    )
