"""One interpreter for the pipe, which wants it all the time, and for the control port, which wants it at once.

`docs/design/0006-agent.md` has what each of these took from an answer's time, and what they cost.
"""

import gc
import sys
import threading
from types import TracebackType

# Who waits this long asks for the interpreter. It has to be less than one of the pipe's callbacks, 20 µs: uvloop gives
# the interpreter up after each and takes it back before another thread has woken, unless it was asked for.
_SWITCH_SECONDS = 0.00001
# A collection stops both. What streams leave behind has no cycles: it is gone without one. The image has thresholds for
# vLLM's imports (build_steps/python_start.py); these are for what runs afterwards, in any Python.
_YOUNG_OBJECTS = 10_000
_OLDER_EVERY, _OLDEST_EVERY = 20, 50
# For which the pipe waits. Most answers take less, and streams go on where the thread that makes one has lost its core.
_ANSWER_SECONDS = 0.001


def share_it() -> None:
    """Called once, when all modules are loaded: what is there by then stays, and is not looked through again."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _OLDER_EVERY, _OLDEST_EVERY)


class RightOfWay:
    """Whoever is within it makes an answer, and is left alone until it is made. Without it the pipe takes the
    interpreter back after each switch interval, of which an answer whose code has left the caches takes ten."""

    def __init__(self) -> None:
        self._taken = threading.Lock()

    def __enter__(self) -> None:
        self._taken.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._taken.release()

    def give(self) -> None:
        """Called by the pipe for each piece that passes: a tenth of a microsecond where nobody is within."""
        if self._taken.locked() and self._taken.acquire(timeout=_ANSWER_SECONDS):
            self._taken.release()


RIGHT_OF_WAY = RightOfWay()  # one, as a process has one interpreter
