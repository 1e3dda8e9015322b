"""The operator's configuration of rollouts."""

from pydantic import Field

from stoker.api.declaration import ApiModel


class RolloutDefaults(ApiModel):
    """How new revisions take over, for the fleet as a whole."""

    surge_wait_seconds: int = Field(1200, ge=5, le=86_400, examples=[60])
    """Time that a new replica may wait for a node before an old one gives up its place for it. The default is longer
    than node autoscalers take to give a node up (15 minutes); where no node is ever added, a minute is enough."""

    proving_seconds: int = Field(5, ge=0, le=3600, examples=[60])
    """Time that a new replica has to stay ready before it stands for an old one. Some faults show with the first
    requests only."""

    models_at_once: int | None = Field(None, ge=1, le=10_000, examples=[3])
    """Models that may roll out at the same time; null: any number. The others wait for their turn with what they have.
    Nothing waits that goes back to a revision that was good, or whose old replicas serve nobody. A rollout that failed
    and stays where it is (`spec.rollout.autoRollback: false`) keeps its turn."""
