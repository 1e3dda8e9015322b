"""How much later than asked for Linux may end a thread's waits, to wake several at once: 50 µs unless it is told."""

import ctypes

_SET_TIMER_SLACK = 29
_LEAST_NANOSECONDS = 1  # 0 stands for what the thread began with


def allow_slack(seconds: float) -> None:
    """Of the calling thread, and of what it starts from now on. Elsewhere than on Linux all stays as it is."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_SET_TIMER_SLACK, ctypes.c_ulong(max(_LEAST_NANOSECONDS, round(seconds * 1e9))), 0, 0, 0)
