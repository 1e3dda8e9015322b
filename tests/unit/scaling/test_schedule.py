"""Floors that come with the clock."""

from datetime import UTC, datetime

import pytest

from stoker.api.v1alpha1.scaling import ScheduledFloor
from stoker.api.values.cron import CronSchedule
from stoker.core.scaling.schedule import last_moment, scheduled_floor


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def entry(cron: str, replicas: int, zone: str = "Etc/UTC") -> ScheduledFloor:
    return ScheduledFloor.model_validate({"cron": cron, "timeZone": zone, "replicas": replicas})


OFFICE = (entry("0 8 * * MON-FRI", 6), entry("0 18 * * MON-FRI", 2))


@pytest.mark.parametrize(
    ("at", "floor"),
    [
        ("2026-11-20T07:59", 2),
        ("2026-11-20T08:00", 6),
        ("2026-11-20T17:59", 6),
        ("2026-11-20T18:00", 2),
        ("2026-11-22T12:00", 2),
    ],
)
def test_the_entry_whose_moment_came_last_holds(at: str, floor: int) -> None:
    assert scheduled_floor(OFFICE, moment(at)) == floor


def test_a_peak_is_met_ready() -> None:
    assert scheduled_floor(OFFICE, moment("2026-11-20T07:56"), lead_seconds=300.0) == 6
    assert scheduled_floor(OFFICE, moment("2026-11-20T17:58"), lead_seconds=300.0) == 6


def test_no_schedule_is_no_floor() -> None:
    assert scheduled_floor((), moment("2026-11-20T08:00")) == 0


@pytest.mark.parametrize(
    ("cron", "zone", "at", "last"),
    [
        ("*/15 * * * *", "Etc/UTC", "2026-11-20T08:44", "2026-11-20T08:30"),
        ("0 8 * * 0", "Etc/UTC", "2026-11-20T08:44", "2026-11-15T08:00"),
        ("0 8 * * 7", "Etc/UTC", "2026-11-20T08:44", "2026-11-15T08:00"),
        ("0 8 1 JAN *", "Etc/UTC", "2026-11-20T08:44", "2026-01-01T08:00"),
        ("0 8 29 2 *", "Etc/UTC", "2026-11-20T08:44", "2024-02-29T08:00"),
        ("0 8 1 * MON", "Etc/UTC", "2026-11-20T08:44", "2026-11-16T08:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-07-20T08:44", "2026-07-20T00:30"),
        ("0 23 * * *", "America/New_York", "2026-07-20T02:00", "2026-07-19T03:00"),
        # The clock jumps over 02:30, and shows it twice in autumn.
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T12:00", "2026-03-29T01:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T12:00", "2026-10-25T00:30"),
        ("5-10/5,50 4-6 * * *", "Etc/UTC", "2026-11-20T06:49", "2026-11-20T06:10"),
        ("10/20 * * * *", "Etc/UTC", "2026-11-20T06:49", "2026-11-20T06:30"),
    ],
)
def test_the_last_moment_of_an_expression(cron: str, zone: str, at: str, last: str) -> None:
    assert last_moment(CronSchedule.parse(cron), zone, moment(at)) == moment(last)


def test_an_expression_that_never_comes_has_no_moment() -> None:
    assert last_moment(CronSchedule.parse("0 0 31 2 *"), "Etc/UTC", moment("2026-11-20T08:00")) is None
    assert scheduled_floor([entry("0 0 31 2 *", 4)], moment("2026-11-20T08:00")) == 0
