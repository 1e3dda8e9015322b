"""How many serving replicas the whole fleet may give up of its own will.

    budget = max(least, ⌊share · serving⌋) - removed in the last ten minutes

A wrong belief that many models share then costs a tenth of the fleet, and time to notice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

BLAST_WINDOW_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Blast:
    removed: int
    """Serving replicas that went voluntarily within the window."""
    share: float = 0.1
    least: int = 1
    """A small fleet may give up so many."""


def allowed_removals(falls: Mapping[str, int], serving: int, blast: Blast) -> dict[str, int]:
    """What each model may give up, one at a time in turn, so that none waits for another."""
    budget = max(blast.least, int(blast.share * serving)) - blast.removed
    allowed = dict.fromkeys(falls, 0)
    while budget > 0:
        open_names = [name for name in sorted(falls) if allowed[name] < falls[name]]
        if not open_names:
            break
        for name in open_names[:budget]:
            allowed[name] += 1
        budget -= len(open_names[:budget])
    return allowed
