"""When a model has taken the newer defaults."""

from typing import Any

from stoker.cli.fleet.seen import seen
from stoker.cli.fleet.upgrading import At, Step, has_update, step
from stoker.cli.progress import line_of
from tests.unit.cli.fleet.objects import item, model

BEFORE = model(status={"updateRevision": "old"}, UpdateAvailable=("True", "NewerDefaults", "x"))


def after(**changed: Any) -> Any:
    return model(status={"updateRevision": "new"}, **changed)


def test_only_a_model_that_says_so_has_an_update() -> None:
    assert has_update(BEFORE)
    assert not has_update(model(UpdateAvailable=("Unknown", "NotChecked", "x")))


def test_ready_with_the_old_revision_is_not_done() -> None:
    assert step(BEFORE, BEFORE).step is Step.UNDER_WAY


def test_ready_with_the_new_revision_is_done_when_the_rollout_is_over() -> None:
    rolling = after(Progressing=("True", "RollingOut", "1 of 2"))
    assert (step(BEFORE, rolling).step, step(BEFORE, rolling).message) == (Step.UNDER_WAY, "RollingOut: 1 of 2")
    assert step(BEFORE, after(Ready=("False", "Starting", "x"))).step is Step.UNDER_WAY
    assert step(BEFORE, after()).step is Step.DONE


def test_a_suspended_model_is_done_without_a_replica() -> None:
    suspended = model(spec={"suspend": True}, status={"updateRevision": "new"}, Ready=("False", "Suspended", "x"))
    assert step(BEFORE, suspended).step is Step.DONE


def test_what_only_a_person_can_mend_is_a_failure() -> None:
    assert step(BEFORE, after(Stalled=("True", "NoEngineImage", "no image"))).step is Step.FAILED


def test_a_revision_that_was_given_up_is_a_failure() -> None:
    failed = [{"name": "new", "failedReason": "LoadDeadlineExceeded"}]
    for target in ("new", "old"):  # the operator may have gone back to the old one meanwhile
        given_up = model(status={"updateRevision": target, "revisions": failed})
        assert step(BEFORE, given_up) == At(Step.FAILED, "revision new was given up: LoadDeadlineExceeded")
    failed_before = model(status={"updateRevision": "old", "revisions": failed})
    now = model(status={"updateRevision": "newer", "revisions": failed})
    assert step(failed_before, now).step is Step.DONE


def test_another_object_of_the_same_name_is_not_it() -> None:
    another = item()
    another["metadata"]["uid"] = "another"
    assert step(BEFORE, seen(another)).step is Step.FAILED
    assert step(BEFORE, None).step is Step.FAILED


def test_a_progress_line_is_full_at_the_end_and_never_more() -> None:
    assert line_of(0.5, "half") == f"[{'█' * 12}{'░' * 12}]  50 % half"
    assert line_of(7.0, "") == f"[{'█' * 24}] 100 % "
