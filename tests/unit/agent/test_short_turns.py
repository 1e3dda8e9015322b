"""How long the control port's turns on the processor are, and how exact its waits, as the kernel tells it."""

import ctypes
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path

from stoker_runtime.agent.control.connection import refusal
from stoker_runtime.agent.control.server import ControlServer, bound
from stoker_runtime.agent.control.short_turns import Attributes, take_short_turns

GET_ATTRIBUTES = {"x86_64": 315, "aarch64": 275}[platform.machine()]


def attributes(thread: int = 0) -> Attributes:
    found = Attributes()
    number = ctypes.c_long(GET_ATTRIBUTES)
    assert ctypes.CDLL(None).syscall(number, thread, ctypes.byref(found), ctypes.sizeof(found), 0) == 0
    return found


def told(nanoseconds: int) -> int:
    """A kernel before 6.12 has no turns to tell of."""
    return nanoseconds if attributes().runtime else 0


def after(work: Callable[[], None]) -> Attributes:
    work()
    return attributes()


def on_a_thread(work: Callable[[], None]) -> Attributes:
    """What the kernel says of the thread after that work."""
    found: list[Attributes] = []
    thread = threading.Thread(target=lambda: found.append(after(work)))
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_has_the_turns_that_it_asked_for() -> None:
    assert on_a_thread(lambda: take_short_turns(0.0002)).runtime == told(200_000)


def test_a_thread_that_others_go_before_stays_behind_them() -> None:
    def work() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 7)
        take_short_turns(0.0002)

    found = on_a_thread(work)
    assert (found.nice, found.runtime) == (7, told(200_000))


def test_a_policy_that_somebody_chose_is_left_alone() -> None:
    def work() -> None:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        take_short_turns(0.0002)

    assert on_a_thread(work).policy == os.SCHED_BATCH


def test_the_control_port_has_the_shortest_turns_and_the_most_exact_waits_that_there_are() -> None:
    server = ControlServer(bound(0), lambda _: refusal(404, "Nothing is here."))
    server.start()
    try:
        (control,) = (thread for thread in threading.enumerate() if thread.name == "control")
        assert attributes(control.native_id or 0).runtime == told(100_000)
        assert int(Path(f"/proc/{control.native_id}/timerslack_ns").read_text()) == 1
    finally:
        server.stop()
