"""Ends the waits of a thread when they are over. Linux adds up to 50 µs to each, to wake several at once."""

import ctypes

_SET_TIMER_SLACK = 29
_NANOSECONDS = 1  # the least; 0 stands for what the thread began with


def wait_exactly() -> None:
    """Of the calling thread. Elsewhere than on Linux all stays as it is."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_SET_TIMER_SLACK, ctypes.c_ulong(_NANOSECONDS), 0, 0, 0)
