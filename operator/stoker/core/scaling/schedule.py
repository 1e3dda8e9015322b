"""Floors for known peaks. The entry whose moment came last holds.

Peaks are met ready: the floor is that of now or of one lead time later, whichever is higher. A moment that a change of
clocks skips is taken where the clock lands; one that comes twice is taken the first time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from stoker.api.v1alpha1.scaling import ScheduledFloor
from stoker.api.values.cron import CronSchedule

MOST_DAYS = 8 * 366 + 2
"""The 29th of February is at most eight years away."""
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True)
class _Moments:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    either_day: bool
    """Both kinds of day are restricted: one of them is enough."""

    def includes(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_month or by_week if self.either_day else by_month and by_week


def scheduled_floor(schedule: Sequence[ScheduledFloor], at: datetime, lead_seconds: float = 0.0) -> int:
    """0 where no entry ever came."""
    if not schedule:
        return 0
    return max(_floor(schedule, at), _floor(schedule, at + timedelta(seconds=max(0.0, lead_seconds))))


def _floor(schedule: Sequence[ScheduledFloor], at: datetime) -> int:
    latest = [
        (moment, entry.replicas)
        for entry in schedule
        if (moment := last_moment(entry.cron, entry.time_zone, at)) is not None
    ]
    return max(latest)[1] if latest else 0


def last_moment(cron: CronSchedule, time_zone: str, at: datetime) -> datetime | None:
    """The last moment of the expression up to then, in UTC; None where there is none."""
    minute = at.astimezone(UTC).replace(second=0, microsecond=0)
    return _last_moment(cron, time_zone, minute)


@lru_cache(maxsize=4096)
def _last_moment(cron: CronSchedule, time_zone: str, minute: datetime) -> datetime | None:
    zone, moments = ZoneInfo(time_zone), _moments(cron)
    local = minute.astimezone(zone).date()
    for back in range(MOST_DAYS):
        day = local - timedelta(days=back)
        if not moments.includes(day):
            continue
        for hour in reversed(moments.hours):
            for minutes in reversed(moments.minutes):
                found = datetime(day.year, day.month, day.day, hour, minutes, tzinfo=zone).astimezone(UTC)
                if found <= minute:
                    return found
    return None


@lru_cache(maxsize=1024)
def _moments(cron: CronSchedule) -> _Moments:
    days_starred, week_starred = cron.day_of_month.startswith("*"), cron.day_of_week.startswith("*")
    return _Moments(
        tuple(sorted(_numbers(cron.minute, 0, 59))),
        tuple(sorted(_numbers(cron.hour, 0, 23))),
        frozenset(_numbers(cron.day_of_month, 1, 31)),
        frozenset(_numbers(cron.month, 1, 12, _MONTHS)),
        frozenset(number % 7 for number in _numbers(cron.day_of_week, 0, 7, _DAYS)),
        not days_starred and not week_starred,
    )


def _numbers(field: str, low: int, high: int, names: Sequence[str] = ()) -> Iterator[int]:
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            begin, end = low, high
        else:
            begin = _number(first, low, names)
            end = _number(last, low, names) if last else (high if step else begin)
        yield from range(begin, end + 1, int(step or 1))


def _number(text: str, low: int, names: Sequence[str]) -> int:
    return names.index(text) + low if text in names else int(text)
