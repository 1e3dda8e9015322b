"""A plan for a ModelDeployment that no cluster holds yet."""

from datetime import UTC, datetime
from importlib.metadata import version

from stoker.api.configuration import Configuration
from stoker.api.parsing import LiveObject
from stoker.api.v1alpha1.condition import ConditionType
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.names import claim_name
from stoker.core.plan.actions import Plan
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Claim, Cluster, Identity, Snapshot
from stoker.core.plan.weights import claims_named
from stoker.engines import PROFILES


def planned(deployment: ModelDeployment, configuration: Configuration) -> Plan:
    namespace = deployment.metadata.namespace or "default"
    metadata = deployment.metadata.model_copy(update={"namespace": namespace})
    deployment = deployment.model_copy(update={"metadata": metadata})
    # Claims that somebody else makes are taken for granted, one that Stoker makes is not there yet.
    own = claim_name(metadata.name)
    used = claims_named(metadata.name, deployment.spec)
    claims = {name: _bound_claim(namespace, name) for name in used if name != own}
    cluster = Cluster(configuration, PROFILES, version("stoker"), has_leader_worker_sets=True)
    return plan(Snapshot(datetime.now(UTC), LiveObject(deployment), cluster, claims=claims))


def _bound_claim(namespace: str, name: str) -> Claim:
    return Claim(Identity(namespace, name, "", ""), "Bound", (), None, bound=True)


def blocked(plan: Plan) -> str | None:
    """Why the operator would not go on with it."""
    stalled = next(condition for condition in plan.status.conditions if condition.type == ConditionType.STALLED)
    return f"{stalled.reason}: {stalled.message}" if stalled.status == "True" else None
