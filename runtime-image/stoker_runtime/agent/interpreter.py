"""One interpreter for the pipe, which wants it all the time, and for the control port, which wants it at once.

`docs/design/0006-agent.md` has what each of these took from an answer's time, and what they cost.
"""

import gc
import sys

# Who waits this long asks for the interpreter. It has to be less than one of the pipe's callbacks, 20 µs: uvloop gives
# the interpreter up after each and takes it back before another thread has woken, unless it was asked for.
_SWITCH_SECONDS = 0.00001
# A collection stops both. What streams leave behind has no cycles: it is gone without one. The image has thresholds for
# vLLM's imports (build_steps/python_start.py); these are for what runs afterwards, in any Python.
_YOUNG_OBJECTS = 10_000
_OLDER_EVERY, _OLDEST_EVERY = 20, 50


def share_it() -> None:
    """Called once, when all modules are loaded: what is there by then stays, and is not looked through again."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _OLDER_EVERY, _OLDEST_EVERY)
