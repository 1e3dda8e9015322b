"""One recording rule."""

from dataclasses import dataclass

WINDOW = "5m"


@dataclass(frozen=True)
class Recording:
    name: str
    expression: str
    meaning: str


def quantiles(of_buckets: str, name: str, what: str) -> tuple[Recording, ...]:
    return tuple(
        Recording(f"stoker:{name}:p{share}", f"histogram_quantile({share / 100}, {of_buckets})", f"{what}, p{share}.")
        for share in (50, 95, 99)
    )


def measured(measure: str, picked: str = "") -> str:
    """What the agents measured; of a model without agents, what its engine says. `picked` is about labels."""
    return f"(stoker:model_{measure}{picked} or on (namespace, model) stoker:engine_{measure}{picked})"
