"""What is remembered of a model between two looks: only how it went, never what is. Losing it loses no promise."""

from dataclasses import dataclass, field
from typing import NamedTuple

from stoker.core.plan.snapshot import Contest, Refused
from stoker.core.pool.replaced import Replaced

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
    replaced: list[Replaced] = field(default_factory=list)  # since somebody counted them
    _written: dict[tuple[str, str], str] = field(default_factory=dict)
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

    def was_written(self, kind: str, name: str, what: str) -> None:
        self._written[kind, name] = what

    def wrote(self, kind: str, name: str, what: str) -> bool:
        """Whether `what` is what was written last, so that finding anything else means that somebody changed it."""
        return self._written.get((kind, name)) == what

    @property
    def contests(self) -> tuple[Contest, ...]:
        return tuple(self._contested)
