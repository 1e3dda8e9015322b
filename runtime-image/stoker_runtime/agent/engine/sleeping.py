"""Putting the engine to sleep and waking it, where it can: only when nothing can come in and nothing runs.

level 1    its weights move to the host's memory, and back: it is proven by one token
level 2    its weights are dropped, and loaded anew from the volume between their memory and that of the cache, so that
           nobody can be served by what is there before; it is proven by the very answer that it gave before it slept
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from stoker_runtime.agent.engine.loopback import (
    EngineAnswer,
    EngineGoneError,
    EngineLateError,
    EngineNonsenseError,
    ask,
)
from stoker_runtime.agent.engine.warm_up import complete
from stoker_runtime.agent.gate import Gate, GateState
from stoker_runtime.agent.pipe.upstream import Upstream
from stoker_runtime.agent.tally import Tally

SLEEPERS = frozenset({"vllm", "simulated"})
_LEVELS = ("1", "2")
_TURN_SECONDS = 180.0  # weights of a large model, over PCIe, both ways
_QUESTION_SECONDS = 10.0
_PROOF = "Hello"
_PROOF_TOKENS = 8


class SleepState(StrEnum):
    AWAKE = "awake"
    FALLING_ASLEEP = "falling asleep"
    ASLEEP = "asleep"
    WAKING = "waking"
    UNKNOWN = "unknown"  # it did not say how a turn ended; nothing is sent to it until a wake-up succeeds


@dataclass(frozen=True)
class Told:
    """What a verb comes to: a status of HTTP, and a sentence."""

    status: int
    sentence: str


class TurnFailedError(Exception):
    """A sentence of what the engine did not do."""


class Sleeper:
    """One turn at a time. Verbs answer at once; asked again they tell how it went."""

    def __init__(self, engine: str, address: Upstream, model: str | None, gate: Gate, tally: Tally) -> None:
        self._engine = engine
        self._address = address
        self._model = model
        self._gate = gate
        self._tally = tally
        self._turn: asyncio.Task[None] | None = None
        self._last_failure: str | None = None
        self._dropped = False  # whether its weights have to be loaded anew, or may have to be
        self._said: str | None = None  # what it answered with its own weights, where they were dropped since
        self.state = SleepState.AWAKE

    @property
    def is_asleep(self) -> bool:
        """Or may be."""
        return self.state is not SleepState.AWAKE

    def sleep(self, level: str) -> Told:
        if refusal := self._refusal(level):
            return refusal
        if self.state is SleepState.ASLEEP:
            return Told(200, "asleep")
        if self.state is SleepState.WAKING:
            return Told(409, "It is waking up: ask again when that is done.")
        return self._begin(SleepState.FALLING_ASLEEP, partial(self._fall_asleep, int(level)))

    def wake(self) -> Told:
        if self._engine not in SLEEPERS:
            return self._no_sleeper()
        if self.state is SleepState.AWAKE:
            return Told(200, "awake")
        if self.state is SleepState.FALLING_ASLEEP:
            return Told(409, "It is falling asleep: ask again when that is done.")
        return self._begin(SleepState.WAKING, self._wake_up)

    async def learn(self) -> None:
        """What a sleeping engine is found as by an agent that has been restarted beside it."""
        try:
            asleep = self._engine in SLEEPERS and await self._is_sleeping()
        except TurnFailedError:
            return  # without the development mode there is no such path, and no sleep
        if asleep:
            self.state, self._dropped = SleepState.ASLEEP, True
            self._gate.refuse()

    def forget(self) -> None:
        """The engine is another one now, and was born awake."""
        if self._turn is not None:
            self._turn.cancel()
        self._is_itself()

    def _is_itself(self) -> None:
        self.state, self._dropped, self._said = SleepState.AWAKE, False, None

    def _refusal(self, level: str) -> Told | None:
        if self._engine not in SLEEPERS:
            return self._no_sleeper()
        if wrong := self._wrong_level(level):
            return Told(400, wrong)
        if self.is_asleep:
            return None
        if self._gate.state is not GateState.REFUSING:
            return Told(409, f"The gate is {self._gate.state}: POST /drain first, and wait until it is refusing.")
        if self._tally.in_flight:
            return Told(409, f"{self._tally.in_flight} request(s) are in flight: wait until none is.")
        return None

    def _wrong_level(self, level: str) -> str | None:
        if level not in _LEVELS:
            return f"level is {level!r}: write {' or '.join(_LEVELS)}."
        if level == "2" and self._model is None:
            return "At level 2 the engine is asked what it says before and after: start the agent with --served-name."
        return None

    def _no_sleeper(self) -> Told:
        return Told(501, f"The engine {self._engine} cannot sleep; these can: {', '.join(sorted(SLEEPERS))}.")

    def _begin(self, state: SleepState, turn: Callable[[], Coroutine[Any, Any, None]]) -> Told:
        failure, self._last_failure = self._last_failure, None
        if self._turn is None or self._turn.done():
            self.state = state
            self._turn = asyncio.get_running_loop().create_task(self._run(turn))
        return Told(202, f"{state}; the last try failed: {failure}" if failure else str(state))

    async def _run(self, turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await turn()
        except TurnFailedError as failed:
            self._last_failure = str(failed)
            self.state = await self._found()
            print(f"agent: {self._last_failure} The engine is now {self.state}.", flush=True)

    async def _found(self) -> SleepState:
        try:
            asleep = await self._is_sleeping()
        except TurnFailedError:
            return SleepState.UNKNOWN
        # An engine that woke and then failed its probe is not fit for requests.
        fit = self.state is SleepState.FALLING_ASLEEP
        return SleepState.ASLEEP if asleep else SleepState.AWAKE if fit else SleepState.UNKNOWN

    async def _fall_asleep(self, level: int) -> None:
        if level > 1 and not self._dropped and self._model is not None:
            self._said = await self._answer(self._model, _PROOF_TOKENS)
        # What lost its weights and was not proven since has still lost them, whatever the level is now.
        self._dropped |= level > 1
        await self._told(f"/sleep?level={level}&mode=wait")
        if not await self._is_sleeping():
            raise TurnFailedError("POST /sleep was accepted, and the engine says that it is awake.")
        self.state = SleepState.ASLEEP

    async def _wake_up(self) -> None:
        if self._dropped:
            await self._told("/wake_up?tags=weights")
            await self._told("/collective_rpc", {"method": "reload_weights"})
            await self._told("/wake_up?tags=kv_cache")
        else:
            await self._told("/wake_up")
        if await self._is_sleeping():
            raise TurnFailedError("POST /wake_up was accepted, and the engine says that it sleeps.")
        if self._model is not None:
            said = await self._answer(self._model, 1 if self._said is None else _PROOF_TOKENS)
            if self._said not in (None, said):
                raise TurnFailedError(f"Asked {_PROOF!r} it said {self._said!r} before it slept, and {said!r} after.")
        self._is_itself()

    async def _answer(self, model: str, tokens: int) -> str:
        """The likeliest tokens: the same weights say the same."""
        try:
            answer = await complete(self._address, model, _PROOF, tokens, _TURN_SECONDS)
        except (EngineGoneError, EngineLateError, EngineNonsenseError) as error:
            raise TurnFailedError(f"There were no tokens to prove it: {error}.") from error
        try:
            said = json.loads(answer.body)["choices"][0]["text"] if answer.is_good else None
        except (ValueError, LookupError, TypeError):
            said = None
        if not isinstance(said, str):
            raise TurnFailedError(f"There were no tokens to prove it: {answer}.")
        return said

    async def _told(self, target: str, body: dict[str, str] | None = None) -> None:
        encoded = None if body is None else json.dumps(body).encode()
        answer = await self._asked("POST", target, _TURN_SECONDS, encoded)
        if answer.status == 404:
            raise TurnFailedError(
                f"POST {target} is unknown to the engine: start it with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode."
            )
        if not answer.is_good:
            raise TurnFailedError(f"POST {target} answered {answer}.")

    async def _is_sleeping(self) -> bool:
        answer = await self._asked("GET", "/is_sleeping", _QUESTION_SECONDS)
        try:
            said = json.loads(answer.body)["is_sleeping"] if answer.is_good else None
        except (ValueError, KeyError, TypeError):
            said = None
        if not isinstance(said, bool):
            raise TurnFailedError(f"GET /is_sleeping answered {answer}.")
        return said

    async def _asked(self, method: str, target: str, timeout_seconds: float, body: bytes | None = None) -> EngineAnswer:
        try:
            return await ask(self._address, method, target, timeout_seconds, body)
        except (EngineGoneError, EngineLateError, EngineNonsenseError) as error:
            raise TurnFailedError(f"{error}.") from error
