"""Asks Linux to end a thread's waits when they are over: it has 50 µs otherwise, to wake several threads at once."""

import ctypes

_SET_TIMER_SLACK = 29
_LEAST_NANOSECONDS = 1  # 0 stands for what the thread began with


def wait_exactly() -> None:
    """Of the calling thread. Elsewhere than on Linux all stays as it is."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_SET_TIMER_SLACK, ctypes.c_ulong(_LEAST_NANOSECONDS), 0, 0, 0)
