"""How much of one model is seen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coverage:
    replicas: int
    known: int
    saturated: int
    counts_arrivals: bool
    """Whether every known one counts its arrivals. Where not, their rate is too low rather than too high: it may raise
    a decision, and never justifies fewer replicas."""
    is_partial: bool
    """The source says, or shows, that its last answer lacks something."""

    @property
    def share(self) -> float:
        """Of the replicas that are known, from 0 to 1. An answer that lacks something never shows all of them."""
        if self.replicas == 0:
            return 0.0 if self.is_partial else 1.0
        return min(self.known, self.replicas - self.is_partial) / self.replicas
