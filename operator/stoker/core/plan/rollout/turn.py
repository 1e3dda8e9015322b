"""Whether a rollout waits until fewer other models roll out: `rollouts.modelsAtOnce` of the operator's configuration.

What has begun goes on. What goes back to a revision that was good, or has no old replica that serves, is urgent and
waits for nobody.
"""

from stoker.core.counted import listed, verb
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.target import Target

# A turn that ends is told at once to one who waits. This is for what is not told.
NEXT_TURN_SECONDS = 30.0


def waits_for_turn(snapshot: Snapshot, target: Target, *, unserved: bool) -> bool:
    """Of a rollout that has not begun; `unserved` tells that no old replica is ready."""
    most = snapshot.cluster.configuration.rollouts.models_at_once
    goes_back = target.given_up is not None or snapshot.live.deployment.spec.rollout.revision is not None
    if most is None or goes_back or unserved:
        return False
    elsewhere = snapshot.rolling_elsewhere
    return elsewhere is None or len(elsewhere) >= most


def waiting_sentence(snapshot: Snapshot) -> str:
    elsewhere = snapshot.rolling_elsewhere
    if elsewhere is None:
        return "This operator has not looked at every model yet, and rollouts.modelsAtOnce bounds how many roll out."
    roll = verb(len(elsewhere), "rolls", "roll")
    return f"{listed(elsewhere)} {roll} out, as many as rollouts.modelsAtOnce of the operator's configuration allows."
