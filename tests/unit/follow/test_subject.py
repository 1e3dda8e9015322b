"""What of the object bounds the number: its floor, its schedule, and who woke it."""

from datetime import timedelta
from typing import Any

import pytest

from stoker.api.configuration import Configuration
from stoker.core.follow.subject import Subject, subject_of
from stoker.core.names import WOKEN_AT
from tests.unit.follow.builders import NOW, replica, scaled, subject
from tests.unit.plan.builders import deployment


def woken(at: str, **scaling: Any) -> Subject:
    model = deployment(0, annotations={WOKEN_AT: at}, scaling={"maxReplicas": 4, "idleSeconds": 600} | scaling)
    found = subject_of(model, Configuration())
    assert found
    return found


@pytest.mark.parametrize(("minutes", "floor"), [(0, 1), (9, 1), (10, 0), (600, 0)])
def test_who_was_woken_stays_awake_for_idle_seconds(minutes: int, floor: int) -> None:
    later = NOW + timedelta(minutes=minutes)
    assert woken("2026-11-21T08:00:00Z").limits(later, 0.0, frozen=False).floor == floor


def test_a_model_at_zero_that_is_woken_wants_one_replica() -> None:
    assert scaled(of=woken("2026-11-21T08:00:00+00:00")).serving == 1
    assert scaled(of=subject(0)).serving == 0


def test_being_woken_lowers_no_floor() -> None:
    model = deployment(3, annotations={WOKEN_AT: "2026-11-21T08:00:00Z"})
    found = subject_of(model, Configuration())
    assert found
    assert found.limits(NOW, 0.0, frozen=False).floor == 3


@pytest.mark.parametrize("text", ["soon", "2026-11-21T08:00:00", "9999-99-99", "x" * 500])
def test_what_is_no_moment_wakes_nobody_and_is_said(text: str) -> None:
    of = woken(text)
    assert of.limits(NOW, 0.0, frozen=False).floor == 0
    assert WOKEN_AT in scaled(replica(), of=of).message


def test_the_end_of_time_is_a_moment_too() -> None:
    assert woken("9999-12-31T23:59:59Z").limits(NOW, 0.0, frozen=False).floor == 1


def test_a_schedule_raises_the_floor_before_its_moment_by_a_start() -> None:
    entry = {"cron": "30 8 * * *", "timeZone": "Etc/UTC", "replicas": 3}
    at_night = {"cron": "0 19 * * *", "timeZone": "Etc/UTC", "replicas": 0}
    of = subject(1, schedule=[entry, at_night])
    before = NOW + timedelta(minutes=28)
    assert of.limits(before, 0.0, frozen=False).floor == 1
    assert of.limits(before, 120.0, frozen=False).floor == 3
    assert of.limits(NOW + timedelta(hours=12), 0.0, frozen=False).floor == 1


def test_the_utilization_is_the_model_s_and_else_the_configuration_s() -> None:
    settings = {"scaling": {"utilizationPercent": 80}}
    assert subject(1).tuning.headroom == 1.0
    assert subject(1, settings).tuning.headroom == 0.8
    assert subject(1, settings, utilizationPercent=60).tuning.headroom == 0.6
