"""Every reason that a condition may give, brought about, with what a person needs to read in its message."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from stoker.api.parsing import LiveObject, Unrecognised
from stoker.api.v1alpha1.condition import DEFAULT_CONDITIONS, ConditionType
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import Refusal
from stoker.core.follow.verdict import Sight
from stoker.core.plan.actions import CreateRevision
from stoker.core.plan.invalid import invalid_status, too_long
from stoker.core.plan.planner import plan
from stoker.core.plan.revision import revision_input, revision_name
from stoker.core.plan.snapshot import Contest, Identity, Node, Refused, Revision, Scaled, Snapshot, Trouble
from stoker.core.scaling.observation import Reading, Stage
from stoker_runtime import failure
from tests.unit.follow.builders import FULL, replica, scaled, subject
from tests.unit.plan import fetching
from tests.unit.plan.builders import (
    NOW,
    UID,
    claim,
    cluster,
    container,
    deployment,
    ended,
    pod,
    replica_set,
    snapshot,
    trouble,
    written_through_scale_by,
)


def running(model: ModelDeployment | None = None, count: int = 2, **changes: object) -> Snapshot:
    """A world in which the target revision has a ReplicaSet; `pods` are changes of its pods."""
    model = model or deployment(count)
    revision = revision_name(revision_input(model))
    owner = replica_set(revision, count, **changes.pop("replica_set", {}))  # type: ignore[arg-type]
    made = changes.pop("pods", [{}] * count)
    pods = tuple(pod(f"llama-{index}", owner, **pod_changes) for index, pod_changes in enumerate(made))  # type: ignore[arg-type, var-annotated]
    (create,) = [action for action in plan(snapshot(model)).actions if isinstance(action, CreateRevision)]
    kept = Revision(Identity("models", "r", "uid-r", "1"), revision, 1, UID, json.dumps(create.body["data"]).encode())
    return snapshot(model, replica_sets=(owner,), pods=pods, revisions=(kept,), **changes)


def not_ready(**changes: object) -> dict[str, object]:
    return {"ready": False, **changes}


def unscheduled(sentence: str, count: int = 1, model: ModelDeployment | None = None) -> Snapshot:
    waiting = not_ready(node="", phase="Pending", unschedulable=sentence)
    return running(model or deployment(count), count, pods=[waiting] * count)


def waiting_for(reason: str, message: str = "") -> Snapshot:
    waits = container(started=False, waiting_reason=reason, waiting_message=message)
    return running(count=1, model=deployment(1), pods=[not_ready(containers=(waits,))])


def after(exit_code: int, reason: str = "Error", message: str = "", *troubles: Trouble) -> Snapshot:
    crashed = not_ready(containers=(ended(exit_code, reason, message, restarts=3),))
    return running(deployment(1), 1, pods=[crashed], troubles=troubles)


def mount_trouble(reason: str, message: str) -> Snapshot:
    world = running(deployment(1), 1, pods=[not_ready(containers=(container(started=False),))])
    return replace(world, troubles=(trouble(world.pods[0], reason, message),))


@dataclass(frozen=True)
class Case:
    reason: Reason
    condition: ConditionType
    status: str
    world: Callable[[], Snapshot]
    reads: str


READY, DEGRADED, STALLED = ConditionType.READY, ConditionType.DEGRADED, ConditionType.STALLED
LITTLE_MEMORY: dict[str, Any] = {"resources": {"limits": {"memory": "8Gi"}}}
WEIGHTS, SCHEDULED, LIMITED = ConditionType.WEIGHTS_READY, ConditionType.SCHEDULED, ConditionType.SCALING_LIMITED
QUOTA = 'pods "llama-x" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1, used: 4, limited: 4'
SHORT = (
    "0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient nvidia.com/gpu. preemption: none"
)
OTHER_ENGINE = {"name": "simulated", "image": "registry.example.com/simulated:0"}
OLD = Identity("models", "llama-old", "uid-old", "1")
FLEET_OF_TWO_REVISIONS = replica_set("0000000000", 1)


def rolling_out() -> Snapshot:
    world = running(deployment(1), 1, pods=[not_ready()])
    old = pod("llama-old", FLEET_OF_TWO_REVISIONS)
    return replace(world, replica_sets=(*world.replica_sets, FLEET_OF_TWO_REVISIONS), pods=(*world.pods, old))


def waiting_for_its_turn() -> Snapshot:
    bounded = cluster(configuration={"rollouts": {"modelsAtOnce": 1}})
    old, owner = pod("llama-old", FLEET_OF_TWO_REVISIONS), (FLEET_OF_TWO_REVISIONS,)
    return snapshot(
        deployment(1), cluster=bounded, replica_sets=owner, pods=(old,), rolling_elsewhere=("models/other",)
    )


def rolled_back() -> Snapshot:
    """The operator has seen what happened and written it down."""
    return told(failing(deployment(1)))


def failing(model: ModelDeployment, **crash: object) -> Snapshot:
    """A new revision beside a good one, whose engine ends again and again."""
    before = running(deployment(1, engine=OTHER_ENGINE), 1)
    good = before.revisions[0]
    status = model.status.model_copy(update={"good_revision": good.name})
    crashed = {"containers": (ended(2, "Error", "unknown flag --fast", restarts=2),)}
    world = running(model.model_copy(update={"status": status}), 1, pods=[not_ready(**(crash or crashed))])
    (own,) = world.revisions
    kept = (replace(good, number=1), replace(own, number=2, identity=Identity("models", "new", "uid-new", "1")))
    sets, pods = (*before.replica_sets, *world.replica_sets), (replace(before.pods[0], identity=OLD), *world.pods)
    return replace(world, revisions=kept, replica_sets=sets, pods=pods)


def told(world: Snapshot) -> Snapshot:
    live = world.live.deployment
    return replace(world, live=LiveObject(live.model_copy(update={"status": plan(world).status})))


def too_late() -> Snapshot:
    since = NOW - timedelta(seconds=61)
    rollout = {"deadlineSeconds": 60}
    return failing(deployment(1, rollout=rollout), placed_since=since, unready_since=since)


def evicted() -> Snapshot:
    gone = not_ready(phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    return running(deployment(1), 1, pods=[gone, not_ready()])


def told_by_a_job(reason: failure.Reason) -> Case:
    """The operator knows every reason that a job may give."""
    return Case(
        Reason(reason.value),
        WEIGHTS,
        "False",
        lambda: fetching.failed(fetching.hub(), reason, "its words"),
        "its words",
    )


def followed(found: Scaled) -> Snapshot:
    return snapshot(cluster=cluster(scales=True), scaled=found)


OBSERVED, AT_MOST_ONE = subject(mode="Observe"), subject(maxReplicas=1)
FEW_PENDING = subject(1, {"scaling": {"maxPendingReplicas": 1}}, maxReplicas=20)
DOWN = Sight(source="Prometheus cannot be used: connection refused.")
NO_TARGET = Sight(target="There is no Deployment web in namespace models.")
BLIND, LATE = (replica(reading=reading, load=None) for reading in (Reading.UNKNOWN, Reading.SATURATED))
MANY = [*(replica(n, load=FULL) for n in range(10)), replica(10, stage=Stage.PROVISIONING, load=None)]
CASES = [
    Case(Reason.SERVING, READY, "True", running, "2 of 2 replicas take traffic"),
    Case(Reason.AT_ZERO, READY, "True", lambda: running(deployment(0), 0), "No replica is wanted"),
    Case(Reason.SUSPENDED, READY, "True", lambda: running(deployment(2, suspend=True), 0), "so no replica runs"),
    Case(Reason.STARTING, READY, "False", lambda: running(pods=[not_ready()] * 2), "2 of 2 replicas are starting"),
    Case(
        Reason.SCALING,
        ConditionType.RECONCILING,
        "True",
        lambda: running(deployment(1), 2),
        "1 is wanted",
    ),
    Case(Reason.ROLLING_OUT, ConditionType.PROGRESSING, "True", rolling_out, "0 of 1 replica of revision"),
    Case(
        Reason.ROLLOUT_PAUSED,
        ConditionType.PROGRESSING,
        "False",
        lambda: failing(deployment(1, rollout={"paused": True})),
        "spec.rollout.paused holds it there",
    ),
    Case(
        Reason.ROLLOUT_WAITING,
        ConditionType.PROGRESSING,
        "True",
        waiting_for_its_turn,
        "models/other rolls out, as many as rollouts.modelsAtOnce",
    ),
    Case(Reason.ROLLED_BACK, STALLED, "True", rolled_back, "unknown flag --fast"),
    Case(
        Reason.ROLLOUT_FAILED,
        STALLED,
        "True",
        lambda: failing(deployment(1, rollout={"autoRollback": False})),
        "go back with `stoker rollback`",
    ),
    Case(Reason.DEVICE_FAULT, DEGRADED, "True", lambda: after(73), "On node node-1"),
    Case(Reason.SETTLED, ConditionType.RECONCILING, "False", running, "Nothing is under way"),
    Case(Reason.NO_PROBLEM, DEGRADED, "False", running, "Nothing is known to be wrong"),
    Case(Reason.WEIGHTS_FOUND, WEIGHTS, "True", running, "on the claim weights"),
    Case(Reason.ALL_SCHEDULED, SCHEDULED, "True", running, "Every replica has a node"),
    Case(Reason.UP_TO_DATE, ConditionType.UPDATE_AVAILABLE, "False", running, "today's defaults"),
    Case(
        Reason.NEWER_DEFAULTS,
        ConditionType.UPDATE_AVAILABLE,
        "True",
        lambda: running(cluster=cluster(configuration={"pods": {"startupSeconds": 99}})),
        "stoker.dev/restarted-at",
    ),
    Case(Reason.NOT_CHECKED, ConditionType.FITS_GPU, "Unknown", running, "not inspected"),
    Case(
        Reason.FOLLOWS_SPEC,
        ConditionType.SCALING_ACTIVE,
        "False",
        lambda: running(deployment(2, scaling={"maxReplicas": 4, "mode": "Off"})),
        "exact number",
    ),
    Case(Reason.HOLDING_FLOOR, ConditionType.SCALING_ACTIVE, "False", running, "No load is known"),
    Case(Reason.WITHIN_LIMITS, LIMITED, "False", running, "No limit"),
    Case(
        Reason.LIMITED_BY_CONFIGURATION,
        LIMITED,
        "True",
        lambda: running(deployment(9), 3, cluster=cluster(configuration={"limits": {"maxReplicas": 3}})),
        "allows 3 (limits.maxReplicas)",
    ),
    Case(
        Reason.NO_ROOM_TO_SLEEP,
        LIMITED,
        "True",
        lambda: running(deployment(2, scaling={"asleepReplicas": 1, "maxReplicas": 4}, **LITTLE_MEMORY)),
        "raise spec.resources.limits.memory",
    ),
    Case(
        Reason.VOLUME_ON_ONE_NODE,
        LIMITED,
        "True",
        lambda: running(claims={"weights": claim(access_modes=("ReadWriteOnce",))}),
        "ReadWriteMany or ReadOnlyMany",
    ),
    Case(
        Reason.INVALID_SPEC,
        STALLED,
        "True",
        lambda: replace(running(), live=LiveObject(deployment(), (Unrecognised("spec.engine.name", "warp"),))),
        "spec.engine.name is warp",
    ),
    Case(
        Reason.NOT_ALLOWED,
        STALLED,
        "True",
        lambda: snapshot(cluster=cluster(configuration={"allowed": {"sources": ["hf://*"]}})),
        "allowed.sources",
    ),
    Case(
        Reason.INVALID_TEMPLATE,
        STALLED,
        "True",
        lambda: snapshot(deployment(template={"spec": {"containers": [{"image": "registry.example.com/a:1"}]}})),
        "spec.template.",
    ),
    Case(
        Reason.NO_ENGINE_IMAGE,
        STALLED,
        "True",
        lambda: snapshot(deployment(engine={"name": "simulated"})),
        "set spec.engine.image",
    ),
    Case(
        Reason.ENGINE_NOT_SUPPORTED,
        STALLED,
        "True",
        lambda: snapshot(deployment(engine={"name": "llamacpp", "dtype": "bfloat16"})),
        "spec.engine.dtype is bfloat16",
    ),
    Case(
        Reason.MULTI_NODE_NOT_AVAILABLE,
        STALLED,
        "True",
        lambda: snapshot(
            deployment(
                engine={"name": "simulated", "image": "registry.example.com/s:1", "pipelineParallel": 2},
                accelerator={"count": 1},
            ),
            cluster=cluster(has_leader_worker_sets=False),
        ),
        "which this cluster lacks",
    ),
    Case(
        Reason.UNKNOWN_REVISION,
        STALLED,
        "True",
        lambda: snapshot(deployment(rollout={"revision": "0123456789"})),
        "pins 0123456789",
    ),
    Case(
        Reason.NO_FETCH_IMAGE,
        WEIGHTS,
        "False",
        lambda: fetching.hub(cluster=cluster()),
        "set runtime.image in it",
    ),
    Case(Reason.INSPECTING, WEIGHTS, "False", fetching.hub, "reads what hf://org/name@main is"),
    Case(Reason.DOWNLOADING, WEIGHTS, "False", fetching.claimed, "17,179,869,184 bytes, to the claim llama-weights"),
    Case(Reason.FITS, ConditionType.FITS_GPU, "True", fetching.on_an_h100, "holds"),
    Case(
        Reason.DOES_NOT_FIT,
        STALLED,
        "True",
        lambda: fetching.on_an_h100(weight_bytes=400 * fetching.GIB),
        "Needs",
    ),
    *(told_by_a_job(reason) for reason in failure.Reason),
    Case(
        Reason.JOB_FAILED,
        WEIGHTS,
        "False",
        lambda: fetching.with_job(fetching.hub(), failure="BackoffLimitExceeded: too often", ended_at=NOW),
        "too often",
    ),
    Case(Reason.CLAIM_MISSING, WEIGHTS, "False", lambda: snapshot(claims={}), "claim weights, which does not exist"),
    Case(
        Reason.CLAIM_PENDING,
        WEIGHTS,
        "False",
        lambda: running(
            claims={"weights": claim(bound=False, phase="Pending")},
            troubles=(Trouble("PersistentVolumeClaim", "weights", "ProvisioningFailed", "no room left"),),
        ),
        "no room left",
    ),
    Case(
        Reason.CLAIM_LOST,
        WEIGHTS,
        "False",
        lambda: snapshot(claims={"weights": claim(phase="Lost")}),
        "weights is gone",
    ),
    Case(
        Reason.STORAGE_CLASS_MISSING,
        WEIGHTS,
        "False",
        lambda: running(
            claims={"weights": claim(bound=False, phase="Pending", storage_class="fast")},
            cluster=cluster(storage_classes=frozenset({"slow"})),
        ),
        "one of those that exist: slow",
    ),
    Case(
        Reason.UNSCHEDULABLE,
        SCHEDULED,
        "False",
        lambda: unscheduled(SHORT, 2),
        "2 nvidia.com/gpu more are needed, 1 on one node, which 2 of 3 nodes lack",
    ),
    Case(
        Reason.VOLUME_ZONE_HAS_NO_GPU,
        SCHEDULED,
        "False",
        lambda: unscheduled("0/2 nodes are available: 2 node(s) had volume node affinity conflict."),
        "volume node affinity conflict",
    ),
    Case(
        Reason.IMAGE_PULL_FAILED,
        READY,
        "False",
        lambda: waiting_for("ErrImagePull", "registry.example.com/x: not found"),
        "registry.example.com/x: not found",
    ),
    Case(
        Reason.CONFIGURATION_MISSING,
        READY,
        "False",
        lambda: waiting_for("CreateContainerConfigError", 'secret "token" not found'),
        'secret "token" not found',
    ),
    Case(
        Reason.VOLUME_NOT_MOUNTED,
        READY,
        "False",
        lambda: mount_trouble("FailedAttachVolume", "Multi-Attach error: the volume is attached to node-2"),
        "attached to node-2",
    ),
    Case(
        Reason.OUT_OF_HOST_MEMORY, DEGRADED, "True", lambda: after(137, "OOMKilled", "loading shard 3"), "exit code 137"
    ),
    Case(
        Reason.OUT_OF_GPU_MEMORY,
        DEGRADED,
        "True",
        lambda: after(1, message="torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"),
        "Tried to allocate 2 GiB",
    ),
    Case(Reason.CRASH_LOOP, DEGRADED, "True", lambda: after(1, message="unknown flag --fast"), "unknown flag --fast"),
    Case(
        Reason.NEVER_HEALTHY,
        DEGRADED,
        "True",
        lambda: after(137, "Error", "", Trouble("Pod", "llama-0", "Unhealthy", "Startup probe failed: HTTP 503")),
        "restarted 3 times",
    ),
    Case(Reason.EVICTED, DEGRADED, "True", evicted, "low on resource: memory"),
    Case(
        Reason.QUOTA_EXCEEDED,
        SCHEDULED,
        "False",
        lambda: running(pods=[{}], replica_set={"failure": QUOTA, "pods": 1}),
        "1 replica cannot be made",
    ),
    Case(
        Reason.PRIORITY_CLASS_UNKNOWN,
        DEGRADED,
        "True",
        lambda: running(pods=[], replica_set={"failure": "no PriorityClass with name gold was found", "pods": 0}),
        "name gold",
    ),
    Case(
        Reason.ADMISSION_REFUSED,
        DEGRADED,
        "True",
        lambda: running(pods=[], replica_set={"failure": 'admission webhook "x" denied the request', "pods": 0}),
        "denied the request",
    ),
    Case(
        Reason.OBJECT_IN_THE_WAY,
        STALLED,
        "True",
        lambda: running(refused=(Refused("Service llama", Reason.OBJECT_IN_THE_WAY, "it exists"),)),
        "Service llama: it exists",
    ),
    Case(
        Reason.CONTESTED,
        STALLED,
        "True",
        lambda: running(contests=(Contest("ReplicaSet", "llama-1", "horizontal-scaler"),)),
        "stop horizontal-scaler",
    ),
    Case(
        Reason.WRITE_REFUSED,
        STALLED,
        "True",
        lambda: running(refused=(Refused("Service llama", Reason.WRITE_REFUSED, "forbidden"),)),
        "forbidden",
    ),
    *(
        Case(reason, condition, status, lambda found=found: followed(found), reads)  # type: ignore[misc]
        for reason, condition, status, found, reads in (
            (Reason.FOLLOWING_LOAD, ConditionType.SCALING_ACTIVE, "True", scaled(replica()), "1: "),
            (
                Reason.OBSERVING_LOAD,
                ConditionType.SCALING_ACTIVE,
                "True",
                scaled(replica(), of=OBSERVED),
                "Observing: ",
            ),
            (Reason.NO_READY_REPLICA, ConditionType.SCALING_ACTIVE, "Unknown", scaled(), "no replica is ready"),
            (Reason.LOAD_UNKNOWN, ConditionType.SCALING_ACTIVE, "False", scaled(BLIND), "1 of 1"),
            (Reason.LOAD_SOURCE_DOWN, ConditionType.SCALING_ACTIVE, "False", scaled(BLIND, sight=DOWN), "refused"),
            (Reason.TARGET_UNKNOWN, ConditionType.SCALING_ACTIVE, "False", scaled(sight=NO_TARGET), "no Deployment"),
            (Reason.LOAD_SATURATED, ConditionType.SCALING_ACTIVE, "True", scaled(LATE), "too late"),
            (
                Reason.AT_MAXIMUM,
                ConditionType.SCALING_LIMITED,
                "True",
                scaled(replica(load=FULL), of=AT_MOST_ONE),
                "maxReplicas",
            ),
            (
                Reason.NO_CAPACITY_LEFT,
                ConditionType.SCALING_LIMITED,
                "True",
                scaled(replica(load=FULL), devices=1),
                "no pool has",
            ),
            (
                Reason.REPLICAS_PENDING,
                ConditionType.SCALING_LIMITED,
                "True",
                scaled(*MANY, of=FEW_PENDING),
                "waits for a node",
            ),
            (
                Reason.SCALING_FROZEN,
                ConditionType.SCALING_LIMITED,
                "True",
                scaled(replica(load=FULL), frozen=True),
                "rollout",
            ),
        )
    ),
]
CASES.append(
    Case(
        Reason.SECOND_SCALER,
        ConditionType.SCALING_LIMITED,
        "True",
        lambda: running(written_through_scale_by("kube-controller-manager")),
        "kube-controller-manager",
    )
)
# Told of a revision, and quoted by the condition.
OF_REVISIONS = {Reason.LOAD_DEADLINE_EXCEEDED}
# Not the planner's: what the API server writes into a fresh object, and what cannot be planned for.
ELSEWHERE = {Reason.WAITING_FOR_OPERATOR, Reason.NAME_TOO_LONG}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_a_reason_is_given_with_what_a_person_needs(case: Case) -> None:
    conditions = {condition.type: condition for condition in plan(case.world()).status.conditions}
    found = conditions[case.condition]
    assert (found.status, found.reason) == (case.status, case.reason)
    assert case.reads in found.message


# Quoted of nodes, schedulers and engines, who know nothing of remedies.
OF_PODS = list(Reason)[list(Reason).index(Reason.UNSCHEDULABLE) : list(Reason).index(Reason.ADMISSION_REFUSED) + 1]


@pytest.mark.parametrize("case", [case for case in CASES if case.reason in OF_PODS], ids=lambda case: case.reason)
def test_what_is_wrong_with_pods_is_said_with_its_remedy(case: Case) -> None:
    conditions = {condition.type: condition for condition in plan(case.world()).status.conditions}
    assert conditions[case.condition].message.endswith(f" → {case.reason.explanation.remedy}")


HUGE = "¡no! " * 2**18


@pytest.mark.parametrize(
    "world",
    [
        lambda: unscheduled(HUGE),
        lambda: waiting_for("ErrImagePull", HUGE),
        lambda: after(1, message=HUGE),
        lambda: mount_trouble("FailedMount", HUGE),
        lambda: running(pods=[], replica_set={"failure": HUGE, "pods": 0}),
    ],
    ids=["scheduler", "registry", "engine", "node", "admission"],
)
def test_a_message_of_a_megabyte_is_quoted_in_part_and_keeps_its_remedy(world: Callable[[], Snapshot]) -> None:
    status = plan(world()).status
    (degraded,) = [condition for condition in status.conditions if condition.type == DEGRADED]
    assert degraded.message.endswith(Reason(degraded.reason).explanation.remedy)
    assert len(status.model_dump_json()) < 16_000


def test_every_reason_is_brought_about_here() -> None:
    assert {case.reason for case in CASES} | ELSEWHERE | OF_REVISIONS == set(Reason)


def test_a_revision_that_does_not_load_in_time_is_marked_and_its_message_says_how_long_it_had() -> None:
    (failed,) = [entry for entry in plan(too_late()).status.revisions if entry.failed_reason]
    assert failed.failed_reason in OF_REVISIONS
    assert "60 s (spec.rollout.deadlineSeconds)" in (failed.failed_message or "")


def test_a_fresh_object_waits_for_an_operator() -> None:
    assert {condition.reason for condition in DEFAULT_CONDITIONS} == {Reason.WAITING_FOR_OPERATOR}


def test_a_name_without_room_for_a_pods_name_is_refused_and_the_old_counts_stay() -> None:
    assert too_long("a" * 40) is None
    message = too_long("a" * 41)
    assert message
    before = deployment().status.model_copy(update={"replicas": 3})
    manifest = {"metadata": {"name": "a" * 41, "generation": 2}}
    status = invalid_status(manifest, before, Refusal(Reason.NAME_TOO_LONG, message), NOW)
    assert status.replicas == 3
    assert {condition.reason for condition in status.conditions} == {Reason.NAME_TOO_LONG}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_documented(reason: Reason) -> None:
    assert reason.explanation.meaning.endswith(".")
    assert reason.explanation.remedy.endswith(".")


def test_a_misfit_of_the_newest_spec_leaves_what_serves_alone_and_heals_it() -> None:
    world = running()
    broken = deployment(2, engine={"name": "simulated"}, status=plan(world).status)
    planned = plan(replace(world, live=LiveObject(broken)))
    assert not [
        action for action in planned.actions if type(action).__name__ in ("Scale", "Detach", "CreateReplicaSet")
    ]
    assert planned.status.ready_replicas == 2
    conditions = {condition.type: condition for condition in planned.status.conditions}
    assert (conditions["Ready"].status, conditions["Stalled"].status) == ("True", "True")


def test_a_suspended_model_is_ready_when_its_last_replica_has_left_and_not_before() -> None:
    world = running(deployment(2, suspend=True), 1)
    leaving = replace(world.pods[0], identity=OLD, owner_uid=UID, tier="draining", draining_since=NOW)
    deleted = replace(world.pods[0], deleting=True)
    empty = (replace(world.replica_sets[0], count=0),)
    for pods, sets, left in (
        ((*world.pods, leaving), world.replica_sets, "2 replicas have"),
        ((leaving,), empty, "1 replica has"),
        ((deleted,), empty, "1 replica has"),
        ((), world.replica_sets, "1 replica has"),
    ):
        status = plan(replace(world, pods=pods, replica_sets=sets)).status
        conditions = {condition.type: condition for condition in status.conditions}
        assert (conditions["Ready"].status, conditions["Reconciling"].status) == ("False", "True")
        assert f"{left} still to leave" in conditions["Ready"].message
    conditions = {
        condition.type: condition for condition in plan(replace(world, pods=(), replica_sets=empty)).status.conditions
    }
    assert (conditions["Ready"].status, conditions["Reconciling"].status) == ("True", "False")


@pytest.mark.parametrize("spec", [{"suspend": True}, {"scaling": {"maxReplicas": 4, "mode": "Off"}}])
def test_what_is_not_scaled_any_more_says_so_and_forgets_the_requests_that_it_counted(spec: dict[str, Any]) -> None:
    before = plan(replace(followed(scaled(replica())), live=LiveObject(deployment(2)))).status
    before = before.model_copy(update={"waiting_requests": 7, "running_requests": 3})
    status = plan(running(deployment(2, status=before, **spec), cluster=cluster(scales=True))).status
    assert (status.waiting_requests, status.running_requests) == (None, None)
    (active,) = [one for one in status.conditions if one.type == "ScalingActive"]
    assert (active.status, active.reason) == ("False", "Suspended" if "suspend" in spec else "FollowsSpec")


def test_a_transition_is_told_once_and_a_new_message_is_no_transition() -> None:
    first = plan(unscheduled(SHORT, 1))
    (told,) = [note for note in first.notes if note.reason == Reason.UNSCHEDULABLE]
    assert told.warning
    again = unscheduled(SHORT.replace("3 nodes", "4 nodes"), 1, deployment(1, status=first.status))
    second = plan(replace(again, now=NOW + timedelta(seconds=60)))
    assert second.notes == ()
    assert [condition.last_transition_time for condition in second.status.conditions] == [
        condition.last_transition_time for condition in first.status.conditions
    ]


def test_a_product_that_no_node_has_is_named_beside_those_that_there_are() -> None:
    said = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    wanted = deployment(1, accelerator={"count": 1, "products": ["NVIDIA-H100"]})

    def scheduled(product: str) -> str:
        there = Node("a", {"nvidia.com/gpu.product": product}, {"nvidia.com/gpu": 4}, schedulable=True)
        found = plan(replace(unscheduled(said, model=wanted), cluster=cluster(nodes=(there,)))).status.conditions
        return next(condition.message for condition in found if condition.type == "Scheduled")

    assert "accelerator.products names NVIDIA-H100, which no node has by its label: they have NVIDIA-L4." in (
        scheduled("NVIDIA-L4")
    )
    assert "accelerator.products" not in scheduled("NVIDIA-H100")
