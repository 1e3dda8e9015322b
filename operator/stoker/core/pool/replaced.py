"""Why a replica is ended for another one: the reason of the Event, and of the count."""

from enum import StrEnum


class Replaced(StrEnum):
    """Whoever counts the replica makes the other one."""

    WAKE_UP_FAILED = "WakeUpFailed"
    WAKE_UP_LATE = "WakeUpLate"
    DEVICE_FAULT = "DeviceFault"
