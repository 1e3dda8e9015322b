"""The life of a replica's agent, from its ports to its exit code."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from stoker_runtime.agent.compiled import Compiled
from stoker_runtime.agent.control.routes import Routes, Tokens
from stoker_runtime.agent.control.server import ControlServer, bound
from stoker_runtime.agent.drain_verbs import DrainVerbs
from stoker_runtime.agent.engine.counters import EngineCounters, fetched_from
from stoker_runtime.agent.engine.health import Health, ask_health
from stoker_runtime.agent.engine.sleeping import Sleeper
from stoker_runtime.agent.exit_codes import ExitCode
from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.landmarks import landmark
from stoker_runtime.agent.options import Options
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.pipe.serving import Pipe, open_pipe
from stoker_runtime.agent.pipe.upstream import SocketUpstream, TcpUpstream, Upstream
from stoker_runtime.agent.questions import Questions
from stoker_runtime.agent.read_ahead import tell_what_was_read_ahead
from stoker_runtime.agent.replica import Replica
from stoker_runtime.agent.startup import Phase, StartUp
from stoker_runtime.agent.supervision.child import Child, start_child
from stoker_runtime.agent.supervision.leaving import Leaving
from stoker_runtime.agent.supervision.memory_kills import COUNTERS, kills_since, memory_kills
from stoker_runtime.agent.supervision.reaper import Reaper
from stoker_runtime.agent.tally import Tally
from stoker_runtime.agent.termination import termination_message, write_termination_message
from stoker_runtime.agent.verdict import Verdict, judge
from stoker_runtime.agent.watching import EngineWatch
from stoker_runtime.agent.weights import weights_problem

_LINES_OF_SECONDS = 300.0  # what the engine wrote before that has nothing to do with its end
_GONE_LOOK_SECONDS = 0.25
_TURN_SECONDS = 1.0
_LAST_ANSWERS_SECONDS = 1.0


@dataclass(frozen=True)
class Surroundings:
    """What is the same for all replicas, and other in tests."""

    termination_log: Path = Path("/dev/termination-log")
    memory_counters: Sequence[Path] = COUNTERS
    stop_seconds: float = 15.0  # from SIGTERM to SIGKILL: nothing is in flight, and memory of GPUs is given back


class EndedError(Exception):
    """The agent has to go, and this is why."""

    def __init__(self, code: ExitCode, sentence: str) -> None:
        super().__init__(sentence)
        self.verdict = Verdict(code, sentence)


def replica_of(options: Options) -> Replica:
    # Ollama on loopback answers nobody who calls it by a name that it does not know.
    told_host = "localhost" if options.engine == "ollama" else None
    upstream: Upstream = (
        SocketUpstream(Path(options.engine_socket), told_host)
        if options.engine_socket
        else TcpUpstream(options.engine_port, told_host=told_host)
    )
    gate, tally = Gate(), Tally()
    return Replica(
        boot=secrets.token_hex(4),
        options=options,
        upstream=upstream,
        gate=gate,
        tally=tally,
        start_up=StartUp(time.monotonic()),
        counters=EngineCounters(options.engine, fetched_from(upstream, options.metrics_path)),
        sleeper=Sleeper(options.engine, upstream, options.served_name, gate, tally),
        pod=os.environ.get("HOSTNAME", ""),
    )


class Agent:
    """Run once."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._surroundings = surroundings
        self._replica = replica = replica_of(options)
        self._gate, self._tally, self._start_up = replica.gate, replica.tally, replica.start_up
        self._watch = EngineWatch(replica)
        self._leaving = Leaving(replica.gate, replica.tally, options.settle_seconds, replica.now)
        self._verbs = DrainVerbs(replica, self._leaving)
        self._questions = Questions(replica, self._trouble)
        self._told, self._hurried = asyncio.Event(), asyncio.Event()
        self._compiled = (
            Compiled(options.compiled, options.compiled_kept, options.compiled_key)
            if options.compiled and options.compiled_kept and options.compiled_key
            else None
        )
        self._interrupts = 0
        self._reaper = Reaper()
        self._child: Child | None = None
        self._memory_kills = memory_kills(surroundings.memory_counters)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._end)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        control: ControlServer | None = None
        pipe: Pipe | None = None
        try:
            control = self._open_control(loop)
            pipe = await self._open_pipe()
            await self._live()
            code = 0
        except EndedError as ended:
            code = await self._tell(ended.verdict)
        if pipe is not None:
            # Whatever a connection is stuck in, it must not keep the pod.
            with suppress(TimeoutError):
                await asyncio.wait_for(pipe.close(_LAST_ANSWERS_SECONDS), 2 * _LAST_ANSWERS_SECONDS)
        if control is not None:
            control.stop()
        return code

    def _end(self) -> None:
        """A second SIGTERM changes nothing: it is often sent twice."""
        self._verbs.is_ending = True
        self._verbs.deadline_seconds()
        self._verbs.begin()
        self._told.set()

    def _interrupt(self) -> None:
        """A person at the keyboard who asks twice does not want to wait."""
        self._interrupts += 1
        if self._interrupts > 1:
            self._gate.refuse()
            self._hurried.set()
        self._end()

    def _trouble(self) -> str | None:
        """Beside an engine this is all that can be done about it; a child is ended by the agent itself."""
        trouble = self._watch.trouble
        return f"{trouble.sentence}\n" if self._options.is_sidecar and trouble else None

    def _open_control(self, loop: asyncio.AbstractEventLoop) -> ControlServer:
        options = self._options
        tokens = Tokens(options.control_token_sha256, options.prestop_token_sha256)
        routes = Routes(self._questions, self._verbs, loop, tokens)
        try:
            server = ControlServer(bound(options.control_port), routes.answer)
        except OSError as error:
            raise _taken("--control-port", options.control_port, error) from error
        server.start()
        return server

    async def _open_pipe(self) -> Pipe:
        port = self._options.serve_port
        try:
            return await open_pipe(("", port), self._replica.upstream, self._gate, self._tally, Limits())
        except OSError as error:
            raise _taken("--serve-port", port, error) from error

    async def _live(self) -> None:
        beating = asyncio.create_task(self._beat())
        try:
            await self._check_weights()
            if self._compiled and not self._told.is_set():
                _say(await self._beside(self._compiled.take))
            if not self._told.is_set():
                await self._serve()
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            self._questions.turned()
            await asyncio.sleep(_TURN_SECONDS)

    async def _check_weights(self) -> None:
        folder = self._options.weights
        if folder is None:
            return
        if problem := await self._beside(lambda: weights_problem(folder)):
            raise EndedError(ExitCode.WEIGHTS_DAMAGED, problem)

    async def _beside(self, work: Callable[[], str | None]) -> str | None:
        """On a thread that nobody has to wait for, since a volume of the network may never answer. None as well where
        the end came first."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str | None] = loop.create_future()
        Thread(target=_work, args=(work, loop, done), daemon=True).start()
        told = asyncio.create_task(self._told.wait())
        first: set[asyncio.Future[Any]] = {done, told}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        return done.result() if done.done() else None

    async def _serve(self) -> None:
        child = self._start_engine()
        self._start_up.loads(time.monotonic())
        watching = [
            asyncio.create_task(watch)
            for watch in (self._watch.watch_health(), self._watch.watch_progress(), self._replica.counters.run())
        ]
        living = asyncio.create_task(self._leave_beside() if child is None else self._supervise(child))
        loading = asyncio.create_task(self._while_it_loads())
        try:
            done, _ = await asyncio.wait({living, *watching}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (living, loading, *watching):
                task.cancel()
            if child is not None:
                child.kill_group()

    async def _while_it_loads(self) -> None:
        """What makes this start shorter, and then the next one. Beside an engine the agent has no memory for either."""
        if self._options.is_sidecar:
            return
        loaded = Event()
        if folder := self._options.weights:
            Thread(target=tell_what_was_read_ahead, args=(folder, loaded), name="read-ahead", daemon=True).start()
        try:
            await self._watch.loaded.wait()
        finally:
            loaded.set()
        if self._compiled:
            _say(await self._beside(self._compiled.keep))

    def _start_engine(self) -> Child | None:
        if self._options.is_sidecar:
            return None
        try:
            self._child = start_child(self._options.command, self._reaper, self._engine_wrote)
        except OSError as error:
            program = self._options.command[0]
            raise EndedError(
                ExitCode.ENGINE_NOT_STARTED,
                f"The engine's command {program!r} cannot be run: {error.strerror}. It must be in this image.",
            ) from error
        return self._child

    def _engine_wrote(self, output: bytes) -> None:
        """On another thread."""
        if self._start_up.phase is Phase.LOADING and (stage := landmark(self._options.engine, output)):
            self._start_up.passes(stage, time.monotonic())

    async def _supervise(self, child: Child) -> None:
        """To the first of: the engine ends, the agent is told to end, the engine is past help."""
        ended = asyncio.create_task(child.ended())
        leaving = asyncio.create_task(self._drained_when_told())
        first: set[asyncio.Future[Any]] = {ended, self._watch.condemned, leaving}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if ended.done():
            await child.flushed()
            kills = kills_since(self._memory_kills, memory_kills(self._surroundings.memory_counters))
            verdict = judge(ended.result(), child.lines.within(_LINES_OF_SECONDS), kills)
            raise EndedError(verdict.code, verdict.sentence)
        if self._watch.condemned.done():
            trouble = self._watch.condemned.result()
            await child.kill()
            raise EndedError(trouble.code, trouble.sentence)
        await self._stop(child)

    async def _drained_when_told(self) -> None:
        await self._told.wait()
        self._questions.is_ending = True
        print(f"agent: leaving, {self._tally.in_flight} request(s) in flight", flush=True)
        drained = asyncio.create_task(self._leaving.drained(self._verbs.deadline_seconds()))
        hurried = asyncio.create_task(self._hurried.wait())
        await asyncio.wait({drained, hurried}, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()
        hurried.cancel()
        if not self._leaving.is_drained:
            print(f"agent: the grace is over with {self._tally.in_flight} request(s) in flight", flush=True)

    async def _stop(self, child: Child) -> None:
        child.terminate()
        try:
            async with asyncio.timeout(self._surroundings.stop_seconds):
                ending = await child.ended()
            print(f"agent: the engine ended with {ending}", flush=True)
        except TimeoutError:
            seconds = self._surroundings.stop_seconds
            print(f"agent: the engine did not end within {seconds:g} s of SIGTERM and is killed", flush=True)
        await child.kill()

    async def _leave_beside(self) -> None:
        """The engine's own container is told by the kubelet; until it has gone, its answers come through here."""
        drained = asyncio.create_task(self._drained_when_told())
        await self._told.wait()
        gone = 0
        while gone < 2 and not drained.done():
            health = await ask_health(self._replica.upstream, self._options.health_path, timeout_seconds=1.0)
            gone = gone + 1 if health is Health.GONE else 0
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(drained), _GONE_LOOK_SECONDS)
        drained.cancel()

    async def _tell(self, verdict: Verdict) -> int:
        self._start_up.fails()
        lines = self._child.lines.within(_LINES_OF_SECONDS) if self._child else []
        for line in lines[-10:]:
            print(f"agent: the engine's last lines: {line}", flush=True)
        print(f"agent: exit {int(verdict.code)} ({verdict.code.reason}): {verdict.sentence}", flush=True)
        write_termination_message(self._surroundings.termination_log, termination_message(verdict, lines))
        return int(verdict.code)


def _work(work: Callable[[], str | None], loop: asyncio.AbstractEventLoop, done: "asyncio.Future[str | None]") -> None:
    found = work()
    with suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(done.set_result, found)


def _say(sentence: str | None) -> None:
    if sentence:
        print(f"agent: {sentence}", flush=True)


def _taken(flag: str, port: int, error: OSError) -> EndedError:
    reason = error.strerror or os.strerror(error.errno or 0)
    return EndedError(
        ExitCode.PORT_TAKEN, f"{flag} {port} cannot be listened on: {reason}. Give the agent another port."
    )
