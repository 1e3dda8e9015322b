"""What is remembered of a model between two looks: only how it went, never what is. Losing it loses no promise."""

from dataclasses import dataclass, field
from typing import NamedTuple

from stoker.core.plan.snapshot import Contest, Refused

# A writer that comes back later than this is met like a new one.
CONTEST_SECONDS = 3600.0


class _PutBack(NamedTuple):
    what: str
    writer: str
    at: float


@dataclass
class Memory:
    """Of one model."""

    refused: tuple[Refused, ...] = ()
    status_written_at: float = float("-inf")
    _put_back: dict[tuple[str, str], _PutBack] = field(default_factory=dict)
    _contested: dict[Contest, float] = field(default_factory=dict)
    _generation: int = 0

    def at(self, generation: int, now: float) -> None:
        """A new spec is a new start; and nothing is held against anybody for ever."""
        if generation != self._generation:
            self._generation = generation
            self._put_back.clear()
            self._contested.clear()
        self._put_back = {key: past for key, past in self._put_back.items() if now - past.at < CONTEST_SECONDS}
        self._contested = {key: at for key, at in self._contested.items() if now - at < CONTEST_SECONDS}

    def may_put_back(self, kind: str, name: str, what: str, writer: str, now: float) -> bool:
        """True the first time that an object has to be brought back to `what`. When it has to be done again, somebody
        undid it, and the object is contested."""
        past = self._put_back.get((kind, name))
        if past is None or past.what != what:
            self._put_back[kind, name] = _PutBack(what, writer, now)
            return True
        self._contested[Contest(kind, name, past.writer)] = now
        return False

    def was_not_put_back(self, kind: str, name: str) -> None:
        """The write met a newer version and was not made, so there is nothing that anybody could undo."""
        self._put_back.pop((kind, name), None)

    def was_put_back_from(self, kind: str, name: str, writer: str) -> None:
        """Who it was becomes known only when the write meets a conflict."""
        self._put_back[kind, name] = self._put_back[kind, name]._replace(writer=writer)

    @property
    def contests(self) -> tuple[Contest, ...]:
        return tuple(self._contested)
