"""Children that ended: the engine, and as PID 1 also what its children left behind."""

import asyncio
import os
from contextlib import suppress
from threading import Thread


class Reaper:
    """Sees to every child of this process: nothing else in it may wait for one.

    It waits on a thread, since uvloop keeps SIGCHLD to itself.
    """

    def __init__(self) -> None:
        self._awaited: dict[int, asyncio.Future[int]] = {}
        self._thread: Thread | None = None

    def ended(self, pid: int) -> asyncio.Future[int]:
        """To be called in the turn of the loop in which it was started. The result is as of `Popen.returncode`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._awaited[pid] = future
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._reap, args=(loop,), name="reaper", daemon=True)
            self._thread.start()
        return future

    def _reap(self, loop: asyncio.AbstractEventLoop) -> None:
        """To the end of the last child."""
        # Ended are: the children (ChildProcessError), or the loop (RuntimeError).
        with suppress(ChildProcessError, RuntimeError):
            while True:
                pid, status = os.waitpid(-1, 0)
                loop.call_soon_threadsafe(self._tell, pid, os.waitstatus_to_exitcode(status))

    def _tell(self, pid: int, return_code: int) -> None:
        future = self._awaited.pop(pid, None)
        if future is not None and not future.done():
            future.set_result(return_code)
