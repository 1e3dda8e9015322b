"""What is remembered of a model between two looks: only how it went, never what is. Losing it loses no promise."""

from dataclasses import dataclass, field
from typing import NamedTuple

from stoker.api.v1alpha1.status import Status
from stoker.core.names import ANOTHER_STOKER
from stoker.core.plan.snapshot import Contest, Refused
from stoker.core.plan.status_change import Change, change
from stoker.core.pool.replaced import Replaced

# A writer that comes back later than this is met like a new one.
CONTEST_SECONDS = 3600.0
# What is missing is made again all the same, but no more often than this: a model without its Service serves nobody.
ABSENT_SECONDS = 60.0
_STATUS = "Status"


class _PutBack(NamedTuple):
    what: str
    writer: str
    at: float


@dataclass
class Memory:
    """Of one model."""

    refused: tuple[Refused, ...] = ()
    status_written_at: float = float("-inf")
    replaced: list[Replaced] = field(default_factory=list)  # since somebody counted them
    _written: dict[tuple[str, str], str] = field(default_factory=dict)
    _put_back: dict[tuple[str, str], _PutBack] = field(default_factory=dict)
    _contested: dict[Contest, float] = field(default_factory=dict)
    _generation: int = 0
    _counts: dict[str, int] = field(default_factory=dict)  # that were written last, by ReplicaSet
    _status: Status | None = None  # that was written last; None: nobody knows

    def at(self, generation: int, now: float) -> None:
        """A new spec is a new start; and nothing is held against anybody for ever."""
        if generation != self._generation:
            self._generation = generation
            self._put_back.clear()
            self._contested.clear()
        self._put_back = {key: past for key, past in self._put_back.items() if now - past.at < CONTEST_SECONDS}
        self._contested = {key: at for key, at in self._contested.items() if now - at < CONTEST_SECONDS}

    def undone_again(self, kind: str, name: str, what: str, now: float) -> bool:
        """Whether the object was brought back to `what` before, and is not so again. Then it is contested from now
        on."""
        past = self._put_back.get((kind, name))
        if past is None or past.what != what:
            return False
        self._contested[Contest(kind, name, past.writer)] = now
        return True

    def was_put_back(self, kind: str, name: str, what: str, writer: str, now: float) -> None:
        """To be called once the write is made: what met a newer version, or no answer, is nothing that anybody could
        undo."""
        self._put_back[kind, name] = _PutBack(what, writer, now)

    def removed_again(self, kind: str, name: str, what: str, now: float) -> bool:
        """Whether what was made anew lately is gone already."""
        past = self._put_back.get((kind, name))
        return past is not None and now - past.at < ABSENT_SECONDS and self.undone_again(kind, name, what, now)

    def count_is_anothers(self, name: str, count: int) -> bool:
        """Whether a count that bears Stoker's name is not what this process wrote last."""
        return self._counts.get(name, count) != count

    def count_was_written(self, name: str, count: int | None) -> None:
        """None: it may have been written, and the answer got lost."""
        if count is None:
            self._counts.pop(name, None)
        else:
            self._counts[name] = count

    def status_was_seen(self, name: str, status: Status, now: float) -> None:
        """One that is not what this process wrote last, it puts back once like everything."""
        if self._status is None or change(self._status, status) is Change.NONE:
            return
        if not self.undone_again(_STATUS, name, "", now):
            self.was_put_back(_STATUS, name, "", ANOTHER_STOKER, now)
        self._status = status

    @property
    def status_is_contested(self) -> bool:
        """Whether somebody else goes on writing it. Then it is written now and then, and says so."""
        return any(contest.kind == _STATUS for contest in self._contested)

    def status_was_written(self, status: Status | None) -> None:
        """None: it may have been written, and the answer got lost."""
        self._status = status

    def was_written(self, kind: str, name: str, what: str) -> None:
        self._written[kind, name] = what

    def wrote(self, kind: str, name: str, what: str) -> bool:
        """Whether `what` is what was written last, so that finding anything else means that somebody changed it."""
        return self._written.get((kind, name)) == what

    @property
    def contests(self) -> tuple[Contest, ...]:
        return tuple(self._contested)
