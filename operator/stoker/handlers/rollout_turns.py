"""Which models roll out at the moment, and which would if fewer did.

A process that has just begun knows it from what statuses say, of each model once it has been looked at.
"""

from collections.abc import Callable, Mapping
from typing import Any

from stoker.core.plan.actions import Plan
from stoker.core.plan.rollout.steps import step_named
from stoker.kube.resources import Key


class RolloutTurns:
    """`wake` is told of a model that waits, when another one's rollout has ended."""

    def __init__(self, wake: Callable[[Key], None]) -> None:
        self._wake = wake
        self._rolls: dict[Key, bool] = {}  # of each model that was looked at
        self._waiting: dict[Key, None] = {}  # the longest first

    def looks_at(self, key: Key, manifest: Mapping[str, Any]) -> None:
        if manifest["metadata"].get("deletionTimestamp"):
            self.forget(key)
            self._rolls[key] = False
        elif key not in self._rolls:
            rows = (manifest.get("status") or {}).get("revisions") or ()
            paused = ((manifest.get("spec") or {}).get("rollout") or {}).get("paused")
            self._rolls[key] = not paused and any(step_named(row.get("state")) for row in rows)

    def elsewhere(self, key: Key, models: int) -> tuple[str, ...] | None:
        """The others that roll out; None where fewer than all models were looked at."""
        if len(self._rolls) < models:
            return None
        return tuple(str(other) for other, rolls in self._rolls.items() if rolls and other != key)

    def planned(self, key: Key, plan: Plan) -> None:
        """What begins or waits does so at once."""
        if plan.rolls:
            self._rolls[key] = True
        if plan.waits_for_turn:
            self._waiting.setdefault(key)
        else:
            self._waiting.pop(key, None)

    def said(self, key: Key, plan: Plan) -> None:
        """A turn ends when the status says so too: until then whoever reads statuses would see one model too many."""
        ended = self._rolls.get(key, False) and not plan.rolls
        self._rolls[key] = plan.rolls
        if ended:
            self._next()

    def forget(self, key: Key) -> None:
        self._waiting.pop(key, None)
        if self._rolls.pop(key, False):
            self._next()

    def _next(self) -> None:
        if first := next(iter(self._waiting), None):
            self._wake(first)
