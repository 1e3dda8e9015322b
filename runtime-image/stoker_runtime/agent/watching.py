"""Watches the engine from outside: when it is ready, and when it is past help."""

import asyncio

from stoker_runtime.agent.engine.counters import Taken
from stoker_runtime.agent.engine.health import DOUBTS, Health, ask_health, pause_seconds
from stoker_runtime.agent.engine.loopback import EngineGoneError, EngineLateError, EngineNonsenseError
from stoker_runtime.agent.engine.warm_up import MOST_SECONDS, complete, warm_up
from stoker_runtime.agent.exit_codes import ExitCode
from stoker_runtime.agent.replica import Replica
from stoker_runtime.agent.stall import Counters, Observation, StallRule
from stoker_runtime.agent.startup import Phase
from stoker_runtime.agent.verdict import Verdict

_LOOK_SECONDS = 0.5
_SILENCE_SECONDS = 1.0
_PROBE_SECONDS = 20.0


class EngineWatch:
    """`trouble` is what it has found, for as long as it lasts; `condemned` is set with the first of it."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._options, self._start_up = replica.options, replica.start_up
        self._rule = StallRule(replica.options.stall_seconds)
        self._seen: Taken | None = None
        self._asked = 0
        self._doubts = 0
        self.trouble: Verdict | None = None
        self.loaded = asyncio.Event()  # for the first time
        self.condemned: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

    async def watch_health(self) -> None:
        while True:
            health = await ask_health(self._replica.upstream, self._options.health_path)
            self._asked += 1
            await self._heard(health)
            await asyncio.sleep(pause_seconds(health, self._asked, was_ready=self._start_up.was_ready))

    async def watch_progress(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._start_up.phase is Phase.READY:
                await self._look()

    async def _heard(self, health: Health) -> None:
        phase = self._start_up.phase
        if phase is Phase.LOADING and health is Health.GOOD:
            await self._warm_up()
        elif phase is Phase.LOADING:
            self._judge_loading(health)
        elif phase is Phase.READY and health is Health.GOOD:
            self._doubts = 0
        elif phase is Phase.READY and health.is_doubtful:
            self._doubts += 1
            if self._doubts >= DOUBTS:
                self._begin_anew()

    async def _warm_up(self) -> None:
        self._start_up.warms(self._replica.now())
        if self._options.is_sidecar:
            await self._replica.sleeper.learn()
        prompts, name = self._options.warmup_prompts, self._options.served_name
        if prompts and name is not None and not self._replica.sleeper.is_asleep:
            problem = await warm_up(self._replica.upstream, name, prompts, MOST_SECONDS)
            if problem:
                print(f"agent: {problem} The replica becomes ready without it.", flush=True)
        self._start_up.is_ready(self._replica.now())
        self.loaded.set()
        self._doubts = 0
        self.trouble = None
        seconds = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in self._start_up.stage_seconds.items())
        print(f"agent: ready ({seconds})", flush=True)

    def _judge_loading(self, health: Health) -> None:
        options = self._options
        taken = self._replica.now() - self._start_up.loading_since_seconds
        # Another container's engine that went away starts from the beginning; a child's cannot.
        returns = self._start_up.was_ready and not options.is_sidecar
        limit = options.stall_seconds if returns else options.start_seconds
        if taken < limit:
            return
        code = ExitCode.ENGINE_UNHEALTHY if returns else ExitCode.NEVER_READY
        flag = "--stall-seconds" if returns else "--start-seconds"
        self._condemn(
            code,
            f"{options.health_path} on {self._replica.upstream} was not good for {taken:.0f} s "
            f"({flag} {limit:g}); the last answer was: {health.value}.",
        )

    def _begin_anew(self) -> None:
        print(f"agent: the engine's health was not good {DOUBTS} times in a row; not ready until it is", flush=True)
        self._asked = self._doubts = 0
        self._start_up.loads(self._replica.now())
        self._replica.counters.forget()
        self._rule.forget()
        self._seen = None
        if self._options.is_sidecar:
            self._replica.sleeper.forget()

    async def _look(self) -> None:
        seen = self._observation()
        # The engine's counters are read at a cost: while nobody asks, only where nothing else moves.
        if self._rule.still_seconds(seen) >= _SILENCE_SECONDS:
            self._replica.counters.want()
        if not self._rule.is_stalled(seen):
            self.trouble = None
            return
        if seen.engine_is_idle and await self._gives_a_token():
            self._rule.forget()
            return
        known = "its counters" if self._rule.has_counters else "no counter to see it by"
        self._condemn(
            ExitCode.ENGINE_STALLED,
            f"{seen.in_flight} request(s) in flight, and neither a byte of an answer nor {known} moved for "
            f"{self._rule.still_seconds(seen):.0f} s (--stall-seconds {self._options.stall_seconds:g}).",
        )

    def _observation(self) -> Observation:
        taken = self._replica.counters.taken
        new = taken is not None and taken is not self._seen
        self._seen = taken
        fresh = self._replica.counters.fresh()
        reading = taken.reading if taken is not None and new else None
        return Observation(
            now_seconds=self._replica.now(),
            in_flight=self._replica.tally.in_flight,
            waiting=self._replica.tally.waiting,
            last_body_byte_seconds=self._replica.tally.last_progress_seconds,
            counters=None
            if reading is None
            else Counters(reading.prompt_tokens, reading.output_tokens, reading.kv_share, reading.preemptions),
            # A pipe that does not count them leaves the limit as it is.
            prompt_bytes=self._replica.tally.prompt_bytes,
            engine_is_idle=fresh is not None and fresh.running == 0 and not fresh.queued,
        )

    async def _gives_a_token(self) -> bool:
        """An engine that says it has nothing to do can prove it: then a client holds its own request up."""
        if self._options.served_name is None:
            return False
        try:
            answer = await complete(self._replica.upstream, self._options.served_name, "Hello", 1, _PROBE_SECONDS)
        except (EngineGoneError, EngineLateError, EngineNonsenseError):
            return False
        return answer.is_good

    def _condemn(self, code: ExitCode, sentence: str) -> None:
        if self.trouble is None or self.trouble.code is not code:
            print(f"agent: {sentence}", flush=True)
        self.trouble = Verdict(code, sentence)
        if not self.condemned.done():
            self.condemned.set_result(self.trouble)
