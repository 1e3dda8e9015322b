"""What a start was busy with, from what the server said and when.

A phase lasts from the end of the one before to the first line with its marker:

    seconds(phase) = at(marker of phase) - at(marker of the phase before)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.coldstart.start import Start


@dataclass(frozen=True)
class Phase:
    name: str
    marker: str  # in the line that ends it


PHASES = (
    Phase("API server: imports", "non-default args"),
    Phase("API server: configuration", "Enabled custom fusions"),
    Phase("engine process: imports", "Initializing a V1 LLM engine"),
    Phase("engine process: weights", "Loading weights took"),
    Phase("engine process: KV cache, warm-up", "init engine (profile"),
)


def phases_of(said: Sequence[tuple[float, str]], healthy: float, completed: float) -> dict[str, float]:
    """Seconds of each phase; one whose marker this version does not say is counted into the next."""
    seconds: dict[str, float] = {}
    before = 0.0
    for phase in PHASES:
        at = next((at for at, line in said if phase.marker in line and at >= before), None)
        if at is not None:
            seconds[phase.name] = at - before
            before = at
    seconds["API server up"] = healthy - before
    seconds["first completion"] = completed - healthy
    return seconds


def figures_of(start: Start, load_before: float) -> dict[str, float]:
    phases = phases_of(start.said, start.healthy_seconds, start.first_completion_seconds)
    return phases | {"total": start.first_completion_seconds, "CPU": start.cpu_seconds, "load before": load_before}
