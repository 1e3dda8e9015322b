"""Which revision should run: the one that the spec describes, a pinned one, or, where that cannot be made, the last
one.

While something about the spec has to be mended by its author, the replicas that run go on, are healed and scaled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stoker.api.configuration import AgentPlace
from stoker.api.v1alpha1.reason import Reason
from stoker.api.values.image import ImageReference
from stoker.core.engine import BEHIND_THE_AGENT, EVERYWHERE, MountedModel, Refusal, Server, pods_per_replica
from stoker.core.names import group_name, leader_name
from stoker.core.plan.agent import place_of
from stoker.core.plan.allowed import refusal_of
from stoker.core.plan.engine_image import engine_image
from stoker.core.plan.fetch.stage import Folders, Stage
from stoker.core.plan.fetch.stages import stage_of
from stoker.core.plan.pod_template import WEIGHTS_PATH, Parts, pod_template, weights_path, worker_template
from stoker.core.plan.revision import Json, Rendered, read, revision_input, revision_name
from stoker.core.plan.snapshot import Revision, Snapshot
from stoker.core.plan.strategic_merge import InvalidPatch
from stoker.core.plan.weights import Weights
from stoker_runtime.facts import Format

# StatefulSets label their pods with their own name, a hyphen and ten more characters, and a label has 63.
LONGEST_STATEFUL_SET_NAME = 52
HIGHEST_ORDINAL = 9999


@dataclass(frozen=True)
class GivenUp:
    """A revision that failed and is not tried again."""

    revision: str
    reason: str
    message: str


@dataclass(frozen=True)
class Target:
    """The revision to run."""

    rendered: Rendered | None  # None: there is none that could run
    kept: bool  # whether it is stored already
    refusal: Refusal | None  # why the revision that the spec describes cannot be made
    newer_defaults: bool | None = None  # whether it would be rendered otherwise today; None: cannot be told
    stage: Stage | None = None  # how far its weights are; None: nobody knows which those are
    given_up: GivenUp | None = None  # what the spec describes, where it failed and this one runs instead

    @property
    def weights(self) -> Weights | None:
        return self.stage.weights if self.stage and isinstance(self.stage.weights, Weights) else None

    @property
    def waits(self) -> Refusal | None:
        """For what the revision that the spec describes waits, which comes by itself."""
        waiting = self.stage is not None and self.stage.passing and isinstance(self.stage.weights, Refusal)
        return self.stage.weights if waiting and self.stage and isinstance(self.stage.weights, Refusal) else None


def target_of(snapshot: Snapshot) -> Target:
    """A revision whose replicas cannot be seen is not touched: what is not known to be there might be made twice."""
    target = _or_the_last_good(snapshot, _chosen(snapshot))
    if target.rendered is None or target.rendered.pods == 1 or snapshot.cluster.has_leader_worker_sets:
        return target
    refusal = target.refusal or _no_groups(snapshot, target.rendered.pods)
    return replace(target, rendered=None, refusal=refusal)


def _kept(snapshot: Snapshot) -> dict[str, Revision]:
    return {revision.name: revision for revision in snapshot.revisions if revision.owner_uid in ("", snapshot.uid)}


def way_back(snapshot: Snapshot, failed: str) -> str | None:
    """The revision that takes over by itself from one that failed; None: nothing does."""
    status = snapshot.live.deployment.status
    good, given_up = status.good_revision, {entry.name for entry in status.revisions if entry.failed_reason}
    if not snapshot.live.deployment.spec.rollout.auto_rollback or good not in _kept(snapshot):
        return None
    return None if good in {failed, *given_up} else good


def _or_the_last_good(snapshot: Snapshot, target: Target) -> Target:
    """A revision that failed stands in the status for as long as the spec asks for it."""
    name = target.rendered.name if target.rendered else None
    for entry in snapshot.live.deployment.status.revisions:
        if entry.name == name and entry.failed_reason and (good := way_back(snapshot, name)):
            given_up = GivenUp(name, entry.failed_reason, entry.failed_message or "")
            return replace(_pinned(snapshot, good, _kept(snapshot)), given_up=given_up)
    return target


def _chosen(snapshot: Snapshot) -> Target:
    spec = snapshot.live.deployment.spec
    kept = _kept(snapshot)
    if spec.rollout.revision:
        return _pinned(snapshot, spec.rollout.revision, kept)
    if refusal := _unreadable(snapshot):
        return Target(_last(snapshot, kept), True, refusal)
    chosen = revision_input(snapshot.live.deployment)
    name = revision_name(chosen)
    old = read(kept[name]) if name in kept else None
    if refusal := _not_startable(snapshot, name):
        # What was made for this spec goes on, though it could not be made today.
        stage = _stage(snapshot, old, kept) if old else None
        return Target(old or _last(snapshot, kept), True, refusal, None, stage)
    stage = _stage(snapshot, old, kept)
    if isinstance(stage.weights, Refusal):
        runs = old is not None and _has_replicas(snapshot, name)
        refusal = None if stage.passing else stage.weights
        return Target(old if runs else _last(snapshot, kept), True, refusal, None, stage)
    fresh = _rendered(snapshot, name, chosen, stage, stage.weights)
    if isinstance(fresh, Refusal):
        return Target(old or _last(snapshot, kept), True, fresh, None, stage)
    newer_defaults = old is not None and (fresh.template, fresh.worker) != (old.template, old.worker)
    return Target(old or fresh, old is not None, None, newer_defaults, stage)


def _stage(snapshot: Snapshot, old: Rendered | None, kept: Mapping[str, Revision]) -> Stage:
    profile = snapshot.cluster.profiles.get(snapshot.live.deployment.spec.engine.name)
    formats = profile.formats if profile else frozenset[Format]()
    return stage_of(snapshot, formats, old, _folders(snapshot, kept))


def _folders(snapshot: Snapshot, kept: Mapping[str, Revision]) -> Folders:
    newest = sorted(kept.values(), key=lambda revision: -revision.number)
    folders = {revision.name: found.folder for revision in newest if (found := read(revision).found) and found.folder}
    filled = {replica_set.revision for replica_set in snapshot.replica_sets if replica_set.count or replica_set.pods}
    filled |= {group.revision for group in snapshot.groups}
    running = {folder for revision, folder in folders.items() if revision in filled}
    return Folders(frozenset(running), tuple(dict.fromkeys(folders.values())))


def _has_replicas(snapshot: Snapshot, revision: str) -> bool:
    sets, groups = snapshot.replica_sets, snapshot.groups
    return revision in {replica_set.revision for replica_set in sets} | {group.revision for group in groups}


def _pinned(snapshot: Snapshot, name: str, kept: dict[str, Revision]) -> Target:
    if name in kept:
        old = read(kept[name])
        stage = _stage(snapshot, old, kept)
        if isinstance(stage.weights, Refusal) and not _has_replicas(snapshot, name):
            refusal = None if stage.passing else stage.weights
            return Target(_last(snapshot, kept), True, refusal, None, stage)
        return Target(old, True, None, None, stage)
    known = ", ".join(sorted(kept)) or "none"
    refusal = Refusal(
        Reason.UNKNOWN_REVISION,
        f"spec.rollout.revision pins {name}, which does not exist. Revisions that are kept: {known}.",
    )
    return Target(_last(snapshot, kept), True, refusal)


def _last(snapshot: Snapshot, kept: dict[str, Revision]) -> Rendered | None:
    """The one that serves, else the newest."""
    current = snapshot.live.deployment.status.current_revision
    if current in kept:
        return read(kept[current])
    newest = max(kept.values(), key=lambda revision: revision.number, default=None)
    return read(newest) if newest else None


def _unreadable(snapshot: Snapshot) -> Refusal | None:
    """A spec that a newer version wrote must not be taken for its defaults."""
    for unrecognised in snapshot.live.unrecognised:
        if unrecognised.path.startswith("spec."):
            return Refusal(
                Reason.INVALID_SPEC,
                f"{unrecognised.path} is {unrecognised.found}, which this version of Stoker"
                f" ({snapshot.cluster.operator_version}) does not know: upgrade the operator, or change the field.",
            )
    return None


def _rendered(snapshot: Snapshot, name: str, chosen: Json, stage: Stage, weights: Weights) -> Rendered | Refusal:
    deployment, cluster = snapshot.live.deployment, snapshot.cluster
    spec = deployment.spec
    profile, image = cluster.profiles[spec.engine.name], _image(snapshot)
    place = place_of(cluster.configuration, spec.engine.name, str(image))
    served_name = spec.model.served_name or snapshot.name
    listen = EVERYWHERE if place is AgentPlace.NONE else BEHIND_THE_AGENT
    files = stage.found.files if stage.found else None
    server = profile.server(spec, MountedModel(served_name, weights_path(weights), listen, files))
    if isinstance(server, Refusal):
        return server
    parts = Parts(name, str(image), server, weights, cluster.configuration, place, cluster.control_key)
    pods = pods_per_replica(spec)
    try:
        worker = worker_template(deployment, parts, server.worker) if server.worker and pods > 1 else None
        return Rendered(name, pod_template(deployment, parts), chosen, worker, pods, stage.found)
    except InvalidPatch as invalid:
        return Refusal(Reason.INVALID_TEMPLATE, f"spec.template.{invalid}")


def _image(snapshot: Snapshot) -> ImageReference | None:
    engine, configuration = snapshot.live.deployment.spec.engine, snapshot.cluster.configuration
    profile = snapshot.cluster.profiles.get(engine.name)
    return engine.image or engine_image(configuration, engine.name, profile, configuration.images.prefix)


def _not_startable(snapshot: Snapshot, name: str) -> Refusal | None:
    """What is known to be wrong before anybody looks at the weights."""
    cluster, engine = snapshot.cluster, snapshot.live.deployment.spec.engine
    image = _image(snapshot)
    if image is None:
        return Refusal(
            Reason.NO_ENGINE_IMAGE,
            f"There is no image for engine {engine.name}: set spec.engine.image,"
            f" or an entry for {engine.name} under engines in the operator's configuration.",
        )
    if engine.name not in cluster.profiles:
        known = ", ".join(sorted(cluster.profiles))
        return Refusal(
            Reason.ENGINE_NOT_SUPPORTED,
            f"This version of Stoker does not run engine {engine.name}: set spec.engine.name to one of {known}.",
        )
    spec, pods = snapshot.live.deployment.spec, pods_per_replica(snapshot.live.deployment.spec)
    if refusal := refusal_of(spec, str(image), cluster.configuration.allowed):
        return refusal
    server = cluster.profiles[engine.name].server(spec, MountedModel(snapshot.name, WEIGHTS_PATH))
    if isinstance(server, Refusal):
        return server
    return _cannot_span(snapshot, name, server, pods) if pods > 1 else None


def _cannot_span(snapshot: Snapshot, revision: str, server: Server, pods: int) -> Refusal | None:
    spec = snapshot.live.deployment.spec
    if server.worker is None:
        return Refusal(
            Reason.MULTI_NODE_NOT_AVAILABLE,
            f"A replica spans {pods} pods, and this version of Stoker runs engine {spec.engine.name} in one pod:"
            f" set spec.accelerator.count to {pods * spec.accelerator.count} for one pod.",
        )
    if not snapshot.cluster.has_leader_worker_sets:
        return _no_groups(snapshot, pods)
    longest = LONGEST_STATEFUL_SET_NAME - len(leader_name(group_name("", revision, HIGHEST_ORDINAL)))
    if len(snapshot.name) > longest:
        return Refusal(
            Reason.NAME_TOO_LONG,
            f"The name {snapshot.name} is {len(snapshot.name)} characters long, and names of the StatefulSets below a"
            f" replica of {pods} pods are made from it: make the ModelDeployment anew under a name of at most {longest}"
            " characters, or set spec.accelerator.count so that a replica is one pod.",
        )
    return None


def _no_groups(snapshot: Snapshot, pods: int) -> Refusal:
    accelerator = snapshot.live.deployment.spec.accelerator
    why = (
        "and this operator cannot see whether the cluster has it: let it list leaderworkersets, or"
        if snapshot.cluster.has_leader_worker_sets is None
        else "which this cluster lacks: install it and restart the operator, or"
    )
    return Refusal(
        Reason.MULTI_NODE_NOT_AVAILABLE,
        f"A replica of {pods * accelerator.count} ranks with {accelerator.count} {accelerator.resource_name} in a pod"
        f" spans {pods} pods, which needs the LeaderWorkerSet API, {why}"
        f" set spec.accelerator.count to {pods * accelerator.count} for one pod.",
    )
