"""Why replicas do not serve: a list of checks, each of which knows one way to fail.

A check takes the snapshot and returns a finding or None. The first finding in the list is the one that a person should
read first, so causes stand before what follows from them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from stoker.api.v1alpha1.reason import Reason
from stoker.core.counted import counted, share, verb
from stoker.core.names import GPU_PRODUCT_LABEL, SERVER_CONTAINER, leader_name
from stoker.core.plan.device_faults import faulted
from stoker.core.plan.last_words import last_words
from stoker.core.plan.replicas import FINISHED_PHASES, Replica, RevisionReplicas, lives
from stoker.core.plan.snapshot import Container, Pod, ReplicaSet, Snapshot

_LONGEST_QUOTE = 600
_GPU_MEMORY = re.compile(r"(cuda|hip|gpu|device).{0,40}out of memory|OutOfMemoryError|NoMemoryOnDevice", re.IGNORECASE)
_SHORT_OF = re.compile(r"(\d+) Insufficient ([\w./-]*\w)")
_NODES = re.compile(r"\d+/(\d+) nodes are available")
_OOM_KILLED = 137


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, as a condition says it."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Patient:
    """What the checks look at: the replicas of one revision that do not serve, and what was said about them."""

    snapshot: Snapshot
    replica_set: ReplicaSet | None
    groups: tuple[Replica, ...]
    unwell: tuple[Pod, ...]
    finished: tuple[Pod, ...]
    what: str = "replica"  # in singular


Check = Callable[[Patient], Finding | None]


def diagnosis(snapshot: Snapshot, held: RevisionReplicas) -> tuple[Finding, ...]:
    """Everything that is known to be wrong with a revision's replicas, the first to be read first."""
    uid = held.replica_set.identity.uid if held.replica_set else ""
    groups = tuple(replica for replica in held.replicas if replica.group)
    names = {replica.name for replica in groups}
    own = [pod for pod in snapshot.pods if (uid and pod.owner_uid == uid) or pod.group in names]
    patient = Patient(
        snapshot,
        held.replica_set,
        groups,
        tuple(pod for pod in own if not pod.ready and lives(pod)),
        tuple(pod for pod in own if pod.phase in FINISHED_PHASES),
    )
    return tuple(_findings(patient))


def diagnosis_of(snapshot: Snapshot, pods: Sequence[Pod]) -> tuple[Finding, ...]:
    """The same for pods that are no replicas, while they cannot begin."""
    waiting = tuple(pod for pod in pods if not pod.deleting and pod.phase == "Pending" and not _is_done(pod))
    patient = Patient(snapshot, None, (), waiting, (), "job")
    return tuple(_findings(patient))


def _findings(patient: Patient) -> Iterator[Finding]:
    """What was found mostly quotes somebody, so what to do about it is set off."""
    for check in CHECKS:
        if finding := check(patient):
            yield replace(finding, message=f"{finding.message} → {finding.reason.explanation.remedy}")


def _is_done(pod: Pod) -> bool:
    """Its container has ended well, and the phase follows."""
    return any(container.last_end and container.last_end.exit_code == 0 for container in pod.containers)


def _pods_cannot_be_made(patient: Patient) -> Finding | None:
    missing, failure = _not_made(patient)
    if not failure:
        return None
    who = f"{counted(missing, 'replica')} cannot be made"
    if "exceeded quota" in failure:
        return Finding(Reason.QUOTA_EXCEEDED, f"{who}: {_quote(failure)}")
    if "no PriorityClass with name" in failure:
        return Finding(Reason.PRIORITY_CLASS_UNKNOWN, f"{who}: {_quote(failure)}")
    return Finding(Reason.ADMISSION_REFUSED, f"{who}: {_quote(failure)}")


def _not_made(patient: Patient) -> tuple[int, str]:
    """How many replicas lack pods, and what their controllers say of it: a ReplicaSet in its status, StatefulSets below
    a LeaderWorkerSet by events alone."""
    if patient.replica_set:
        return patient.replica_set.count - patient.replica_set.pods, patient.replica_set.failure
    incomplete = [replica.name for replica in patient.groups if len(replica.pods) < replica.size]
    makers = {name for group in incomplete for name in (group, leader_name(group))}
    said = (
        trouble.message
        for trouble in patient.snapshot.troubles
        if trouble.kind == "StatefulSet" and trouble.name in makers and trouble.reason == "FailedCreate"
    )
    return len(incomplete), next(said, "")


def _unschedulable(patient: Patient) -> Finding | None:
    waiting = [pod for pod in patient.unwell if pod.unschedulable]
    if not waiting:
        return None
    said = waiting[0].unschedulable
    who = f"{_who_waits(waiting, patient.what)} for a node"
    claim = re.search(r'persistentvolumeclaim "([^"]+)" not found', said)
    if claim:
        return Finding(Reason.CLAIM_MISSING, f"{who}: the claim {claim[1]} does not exist.")
    if "volume node affinity conflict" in said:
        return Finding(Reason.VOLUME_ZONE_HAS_NO_GPU, f"{who}: {_quote(said)}")
    return Finding(Reason.UNSCHEDULABLE, f"{who}: {_shortage(said, len(waiting), patient)}{_quote(said)}")


def _who_waits(pods: list[Pod], what: str) -> str:
    replicas = {pod.group or pod.identity.name for pod in pods}
    wait = verb(len(pods), "waits", "wait")
    if not pods[0].group:
        return f"{counted(len(pods), what)} {wait}"
    return f"{counted(len(pods), 'pod')} of {counted(len(replicas), 'replica')} {wait}"


def _shortage(said: str, waiting: int, patient: Patient) -> str:
    """Which resource, how many short, on how many nodes."""
    accelerator = patient.snapshot.live.deployment.spec.accelerator
    nodes = _NODES.search(said)
    for count, resource in _SHORT_OF.findall(said):
        where = share(int(count), int(nodes[1]), "node") if nodes else counted(int(count), "node")
        if resource == accelerator.resource_name:
            short = waiting * accelerator.count
            lack = f"{where} {verb(int(count), 'lacks', 'lack')}"
            needed = f"{short} {resource} more {verb(short, 'is', 'are')} needed"
            return f"{needed}, {accelerator.count} on one node, which {lack}. "
        return f"{where} {verb(int(count), 'has', 'have')} too little {resource}. "
    return _absent_products(patient) if "affinity/selector" in said else ""


def _absent_products(patient: Patient) -> str:
    """Where no node has what the spec names: a name that was mistyped looks like that, and so does a pool at zero."""
    wanted = patient.snapshot.live.deployment.spec.accelerator.products
    nodes = patient.snapshot.cluster.nodes
    if not wanted or nodes is None:
        return ""
    there = sorted({product for node in nodes if (product := node.labels.get(GPU_PRODUCT_LABEL))})
    if set(wanted) & set(there):
        return ""
    have = f"they have {', '.join(there)}" if there else "none has a product"
    return f"accelerator.products names {', '.join(wanted)}, which no node has by its label: {have}. "


def _image_not_pulled(patient: Patient) -> Finding | None:
    reasons = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
    for pod, container in _waiting(patient, *reasons):
        # While a node backs off it says nothing new; the event has the cause.
        cause = _trouble(patient, pod, "Failed", contains="image") or container.waiting_message
        return Finding(Reason.IMAGE_PULL_FAILED, f"Pod {pod.identity.name} on {pod.node}: {_quote(cause)}")
    return None


def _configuration_missing(patient: Patient) -> Finding | None:
    for pod, container in _waiting(patient, "CreateContainerConfigError"):
        return Finding(
            Reason.CONFIGURATION_MISSING,
            f"Pod {pod.identity.name}, container {container.name}: {_quote(container.waiting_message)}",
        )
    return None


def _volume_not_mounted(patient: Patient) -> Finding | None:
    for pod in patient.unwell:
        if not pod.node or any(container.started or container.last_end for container in pod.containers):
            continue
        said = _trouble(patient, pod, "FailedMount") or _trouble(patient, pod, "FailedAttachVolume")
        if said and "not found" in said and ("secret" in said or "configmap" in said):
            return Finding(Reason.CONFIGURATION_MISSING, f"Pod {pod.identity.name}: {_quote(said)}")
        if said:
            return Finding(Reason.VOLUME_NOT_MOUNTED, f"Pod {pod.identity.name} on {pod.node}: {_quote(said)}")
    return None


def _out_of_gpu_memory(patient: Patient) -> Finding | None:
    for pod, container in _ended(patient):
        if _reason(container) == "GPUMemory":
            return Finding(Reason.OUT_OF_GPU_MEMORY, _last_words(pod, container))
    return None


def _out_of_host_memory(patient: Patient) -> Finding | None:
    for pod, container in _ended(patient):
        if container.last_end and (container.last_end.reason == "OOMKilled" or _reason(container) == "HostMemory"):
            return Finding(Reason.OUT_OF_HOST_MEMORY, _last_words(pod, container))
    return None


def _never_healthy(patient: Patient) -> Finding | None:
    for pod, container in _ended(patient):
        if _reason(container) == "NeverReady":
            return Finding(Reason.NEVER_HEALTHY, _last_words(pod, container))
        if container.last_end and container.last_end.exit_code in (_OOM_KILLED, 143, 0):
            said = _trouble(patient, pod, "Unhealthy", contains="Startup probe failed")
            if said:
                return Finding(
                    Reason.NEVER_HEALTHY,
                    f"Pod {pod.identity.name} was restarted {_times(container.restarts)} because it did not become"
                    f" healthy in time. {_quote(said)}",
                )
    return None


def _device_fault(patient: Patient) -> Finding | None:
    for pod, container in _ended(patient):
        if faulted(container):
            return Finding(Reason.DEVICE_FAULT, f"On node {pod.node}: {_last_words(pod, container)}")
    return None


def _crash_loop(patient: Patient) -> Finding | None:
    for pod, container in _ended(patient):
        return Finding(Reason.CRASH_LOOP, _last_words(pod, container))
    return None


def _evicted(patient: Patient) -> Finding | None:
    evicted = [pod for pod in patient.finished if pod.reason]
    if not evicted or not patient.unwell:
        return None
    pod = max(evicted, key=lambda pod: pod.created)
    return Finding(Reason.EVICTED, f"Pod {pod.identity.name} on {pod.node}: {pod.reason}. {_quote(pod.message)}")


CHECKS: Sequence[Check] = (
    _pods_cannot_be_made,
    _image_not_pulled,
    _configuration_missing,
    _volume_not_mounted,
    _out_of_gpu_memory,
    _out_of_host_memory,
    _never_healthy,
    _device_fault,
    _crash_loop,
    _unschedulable,
    _evicted,
)


def _waiting(patient: Patient, *reasons: str) -> list[tuple[Pod, Container]]:
    return [
        (pod, container)
        for pod in patient.unwell
        for container in pod.containers
        if container.waiting_reason in reasons
    ]


def _ended(patient: Patient) -> list[tuple[Pod, Container]]:
    """Containers that have ended at least once and do not serve now; the server's first."""
    found = [(pod, container) for pod in patient.unwell for container in pod.containers if container.last_end]
    return sorted(found, key=lambda pair: pair[1].name != SERVER_CONTAINER)


def _last_words(pod: Pod, container: Container) -> str:
    end = container.last_end
    code = str(end.exit_code) if end else "0"
    verdict = last_words(end.message) if end else None
    words = _quote("\n".join(verdict.lines) if verdict else end.message, tail=True) if end else ""
    told = f" It said last: {words}" if words else " It left no log lines."
    if verdict:
        code, told = f"{code} ({verdict.reason})", f" {_quote(verdict.sentence)}{told}"
    return (
        f"Pod {pod.identity.name}, container {container.name}, ended with exit code {code} and was restarted"
        f" {_times(container.restarts)}.{told}"
    )


def _reason(container: Container) -> str:
    """The agent's, or what an engine without one wrote last; empty: nothing that is known."""
    said = container.last_end.message if container.last_end else ""
    if verdict := last_words(said):
        return verdict.reason
    return "GPUMemory" if _GPU_MEMORY.search(said) else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _trouble(patient: Patient, pod: Pod, reason: str, contains: str = "") -> str:
    said = (
        trouble.message
        for trouble in patient.snapshot.troubles
        if trouble.kind == "Pod" and trouble.name == pod.identity.name and trouble.reason == reason
    )
    return next((message for message in said if contains in message), "")


def _quote(text: str, *, tail: bool = False) -> str:
    text = " ".join(text.split()) if not tail else text.strip()
    if len(text) <= _LONGEST_QUOTE:
        return text
    return f"…{text[-_LONGEST_QUOTE:]}" if tail else f"{text[:_LONGEST_QUOTE]}…"
