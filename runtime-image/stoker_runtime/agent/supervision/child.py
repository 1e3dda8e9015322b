"""The engine's process, in a process group of its own."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from stoker_runtime.agent.supervision.last_lines import LastLines
from stoker_runtime.agent.supervision.passing import Passing
from stoker_runtime.agent.supervision.reaper import Reaper
from stoker_runtime.agent.verdict import Ending

_FLUSH_SECONDS = 1.0
_KILL_SECONDS = 5.0


class Child:
    """Started by `start_child`."""

    def __init__(self, pid: int, ended: asyncio.Future[int], lines: LastLines, passing: Sequence[Passing]) -> None:
        self.pid = pid
        self.lines = lines
        self._ended = ended
        self._passing = passing

    @property
    def is_running(self) -> bool:
        return not self._ended.done()

    async def ended(self) -> Ending:
        """Comes when the process itself has ended; those that it started may live on."""
        return Ending(await asyncio.shield(self._ended))

    def terminate(self) -> None:
        """The process alone: it knows in which order its own children have to go."""
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill_group(self) -> None:
        """The process, and all that it started and that did not leave its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def kill(self) -> None:
        """Ended, as far as the kernel can: a process that is stuck in a driver is left to whoever ends the pod."""
        self.kill_group()
        with suppress(TimeoutError):
            async with asyncio.timeout(_KILL_SECONDS):
                await self.ended()
                await self.flushed()

    async def flushed(self) -> None:
        """What it wrote before its end was passed on, unless another process holds its streams open."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                while any(thread.is_alive() for thread in self._passing):  # noqa: ASYNC110 - asked once, at the end
                    await asyncio.sleep(0.005)


def start_child(command: Sequence[str], reaper: Reaper, seen: Callable[[bytes], object]) -> Child:
    """Raises OSError where the command cannot be run. `seen` is called on other threads."""
    lines = LastLines()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        bufsize=0,
    )
    ended = reaper.ended(process.pid)
    passing = []
    for source, target in ((process.stdout, 1), (process.stderr, 2)):
        if source is None:
            continue
        # Each thread closes its own end, whenever that comes.
        descriptor = os.dup(source.fileno())
        source.close()
        passing.append(Passing(descriptor, target, _both(lines, target, seen)))
    process.returncode = 0  # the reaper waits for it, not this object
    for thread in passing:
        thread.start()
    return Child(process.pid, ended, lines, passing)


def _both(lines: LastLines, stream: int, seen: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def add(output: bytes) -> None:
        lines.add(stream, output)
        seen(output)

    return add
