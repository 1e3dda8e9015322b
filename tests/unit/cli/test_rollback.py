"""Which revision `stoker rollback` goes back to, and what it says where there is none."""

from argparse import Namespace
from typing import Any, cast

import pytest

from stoker.cli.fleet.reading import Reader
from stoker.cli.input_error import InputError
from stoker.cli.rollback import chosen_revision, rolled_back
from stoker.kube.connection import ApiError


def model(*revisions: dict[str, Any], current: str, pin: str | None = None) -> dict[str, Any]:
    """With the revisions in the order in which a server may keep them: any."""
    rollout = {"rollout": {"revision": pin}} if pin else {}
    return {"spec": rollout, "status": {"updateRevision": current, "revisions": revisions}}


FIRST, SECOND, THIRD = ({"name": name, "number": number} for number, name in enumerate(("aaa", "bbb", "ccc"), 1))
BROKEN = {"name": "bbb", "number": 2, "state": "Failed", "failedReason": "CrashLoop"}


def test_by_default_it_is_the_newest_before_the_current_one() -> None:
    assert chosen_revision(model(THIRD, FIRST, SECOND, current="ccc"), None, "x") == "bbb"


def test_a_second_rollback_goes_one_further() -> None:
    assert chosen_revision(model(THIRD, FIRST, SECOND, current="bbb", pin="bbb"), None, "x") == "aaa"


def test_one_that_failed_is_passed_over() -> None:
    assert chosen_revision(model(THIRD, FIRST, BROKEN, current="ccc"), None, "x") == "aaa"


def test_a_named_one_may_be_newer() -> None:
    assert chosen_revision(model(THIRD, FIRST, SECOND, current="aaa", pin="aaa"), "ccc", "x") == "ccc"


@pytest.mark.parametrize(
    ("of", "asked_for", "says"),
    [
        (model(FIRST, SECOND, current="bbb"), "ddd", "x has no revision ddd: it has bbb (number 2, not looked at yet)"),
        (model(FIRST, BROKEN, current="aaa"), "bbb", "bbb (number 2, CrashLoop) was given up"),
        (model(FIRST, SECOND, current="aaa"), None, "x has no revision before aaa: name one with --to REVISION"),
        ({"spec": {}}, None, "it has none"),
    ],
)
def test_what_cannot_be_is_refused_with_what_there_is(of: dict[str, Any], asked_for: str | None, says: str) -> None:
    with pytest.raises(InputError) as refused:
        chosen_revision(of, asked_for, "x")
    (problem,) = refused.value.problems
    assert says in problem


class BusyServer:
    """The operator writes the status between each of our looks and our write, so many times."""

    def __init__(self, conflicts: int) -> None:
        self.conflicts = conflicts

    async def get(self, _path: str) -> dict[str, Any]:
        return model(FIRST, SECOND, current="bbb") | {"metadata": {"uid": "u", "resourceVersion": "1"}}

    async def merge_patch(self, *_: object) -> None:
        self.conflicts -= 1
        if self.conflicts >= 0:
            raise ApiError(409, "Conflict", "the object has been modified")


@pytest.mark.parametrize(("conflicts", "done"), [(0, True), (4, True), (5, False)])
async def test_where_the_operator_writes_at_the_same_moment_it_looks_again(conflicts: int, done: bool) -> None:
    options = Namespace(name="llama", undo=False, to=None)
    asked = rolled_back(Reader(cast("Any", BusyServer(conflicts)), "models"), options)
    if done:
        assert "goes to revision aaa" in (await asked).sentence
        return
    with pytest.raises(InputError, match="at the same moment: try again"):
        await asked
