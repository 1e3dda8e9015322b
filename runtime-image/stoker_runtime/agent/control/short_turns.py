"""Asks Linux for short turns on the processor: a thread that wants little at a time is let in sooner.

Its share stays what it was. Linux heeds such a wish since 6.12, anybody's; an older one takes it and changes nothing.
"""

import ctypes
import os
import platform

_SET_ATTRIBUTES = {"x86_64": 314, "aarch64": 274}  # the number of sched_setattr


class Attributes(ctypes.Structure):
    """As sched_setattr(2) has them. For an ordinary thread the runtime is the length of its turns, in nanoseconds."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def take_short_turns(seconds: float) -> None:
    """Of the calling thread. Where it cannot be had, or somebody has chosen another policy, all stays as it is."""
    number = _SET_ATTRIBUTES.get(platform.machine())
    if number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    wanted = Attributes(
        size=ctypes.sizeof(Attributes),
        policy=os.SCHED_OTHER,
        nice=os.getpriority(os.PRIO_PROCESS, 0),
        runtime=round(seconds * 1e9),
    )
    ctypes.CDLL(None).syscall(ctypes.c_long(number), 0, ctypes.byref(wanted), 0)
