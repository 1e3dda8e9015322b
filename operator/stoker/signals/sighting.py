"""What is known of one replica's load, and how it got there."""

from typing import NamedTuple

from stoker.core.scaling.observation import Load, Reading


class Sighting(NamedTuple):
    reading: Reading
    load: Load | None
    """The last good one, whatever the reading is now."""
    age_seconds: float | None
    """Of that load; None: there never was one."""


NEVER_SEEN = Sighting(Reading.UNKNOWN, None, None)


class Record:
    """The looks at one replica.

    A good load is known until it is `expire_seconds` old. A look that failed makes the replica unknown at once, and one
    that came too late saturated, but only for so long: what has not answered for `expire_seconds` is no longer alive.
    """

    __slots__ = ("_expire_seconds", "_late_since", "_reading", "load", "why")

    def __init__(self, expire_seconds: float) -> None:
        self._expire_seconds = expire_seconds
        self._reading = Reading.UNKNOWN
        self._late_since: float | None = None
        self.load: Load | None = None
        self.why = "It was not asked yet."

    def known(self, load: Load) -> None:
        self.load, self._reading, self._late_since, self.why = load, Reading.KNOWN, None, ""

    def late(self, now_seconds: float, why: str, load: Load | None = None) -> None:
        """With the load, where it came after all."""
        if load is not None:
            self.load, self._late_since = load, now_seconds
        elif self._late_since is None:
            self._late_since = now_seconds
        self._reading, self.why = Reading.SATURATED, why

    def failed(self, why: str) -> None:
        self._reading, self._late_since, self.why = Reading.UNKNOWN, None, why

    def sighting(self, now_seconds: float) -> Sighting:
        if self.load is None:
            return Sighting(self._without_load(now_seconds), None, None)
        age_seconds = max(0.0, now_seconds - self.load.at_seconds)
        heard_seconds = (
            self.load.at_seconds if self._late_since is None else max(self.load.at_seconds, self._late_since)
        )
        is_old = now_seconds - heard_seconds > self._expire_seconds
        return Sighting(Reading.EXPIRED if is_old else self._reading, self.load, age_seconds)

    def _without_load(self, now_seconds: float) -> Reading:
        is_old = self._late_since is not None and now_seconds - self._late_since > self._expire_seconds
        return Reading.UNKNOWN if is_old else self._reading
