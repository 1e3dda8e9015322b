"""Carries out a plan's actions, one after the other, each fenced by what must still be true for it.

Three answers are told apart. The world moved on (409, 404): nothing is wrong, look again. The API server is in trouble
(429, 5xx, no answer): try again later; whether the write happened shows in the picture. The API server refuses: that is
for a person, so it becomes a condition, and the rest of the plan is still tried where it does not depend on it.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stoker.api.v1alpha1.reason import Reason
from stoker.core.names import (
    ANOTHER_STOKER,
    DRAINING_SINCE,
    FIELD_MANAGER,
    LEFT_FROM,
    MODEL_LABEL,
    PROTECTION,
    REVISION_LABEL,
    TASK_RESULT,
    TIER_LABEL,
    Tier,
)
from stoker.core.plan.actions import (
    Action,
    Adopt,
    Apply,
    ChildKind,
    CreateClaim,
    CreateGroup,
    CreateJob,
    CreateReplicaSet,
    CreateRevision,
    DeleteGroup,
    DeleteJob,
    DeleteOwned,
    DeletePod,
    DeleteReplicaSet,
    DeleteRevision,
    Detach,
    DrainGroup,
    KeepResult,
    MendClaim,
    Protect,
    Replace,
    Retier,
    Scale,
    TakeOffTraffic,
    Tell,
)
from stoker.core.plan.report import sentence
from stoker.core.plan.snapshot import Identity, ObjectKind, Refused
from stoker.kube import projections, resources
from stoker.kube.children import OWNED_RESOURCES, Children
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection, Json
from stoker.kube.memory import Memory
from stoker.kube.resources import Key, Resource

logger = logging.getLogger(__name__)

_BY_STOKER = {"fieldManager": FIELD_MANAGER}
_STRICTLY = _BY_STOKER | {"fieldValidation": "Strict"}
_LONGEST_MESSAGE = 1000
_CONFLICT = re.compile(r'conflicts? with "([^"]+)"')


class MovedOnError(Exception):
    """The world is no longer the one that the plan was made for."""


class NotLeadingError(Exception):
    """Somebody else may lead by now, so nothing more is written."""


class _RefusedError(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


def _told(refused: Refused) -> Refused:
    """A condition may be gone with the next look, and somebody will want to know what it was."""
    logger.warning("%s: %s", refused.object, refused.message)
    return refused


class Executor:
    """Writes for whoever leads; `leads` is asked before every write."""

    def __init__(
        self, connection: Connection, children: Children, leads: Callable[[], bool], tell: Callable[[Tell], None]
    ) -> None:
        self._tell = tell
        self._connection = connection
        self._children = children
        self._leads = leads

    async def execute(self, owner_uid: str, actions: Iterable[Action], memory: Memory, now: float) -> None:
        """Raises MovedOnError where the plan is out of date, and ApiError or ApiUnreachableError where it has to be
        tried again later. What was refused for good is in the memory afterwards."""
        refused: list[Refused] = []
        try:
            for action in actions:
                if not self._leads():
                    raise NotLeadingError
                try:
                    await self._write(action, owner_uid, memory, now)
                except _RefusedError as answer:
                    refused.append(_told(answer.refused))
                    if isinstance(action, CreateRevision):
                        break  # what comes after depends on it
                except ApiError as answer:
                    refused.append(_told(_refusal(action, answer)))
                    if isinstance(action, CreateRevision):
                        break
        finally:
            memory.refused = tuple(refused)

    async def _write(self, action: Action, owner_uid: str, memory: Memory, now: float) -> None:  # noqa: C901, PLR0912, PLR0915 - a line for each kind
        match action:
            case CreateRevision(body):
                await self._create(resources.CONTROLLER_REVISIONS, self._children.revisions.absorb, body, owner_uid)
            case CreateReplicaSet(body):
                await self._create(resources.REPLICA_SETS, self._children.replica_sets.absorb, body, owner_uid)
            case CreateJob(body):
                await self._create(resources.JOBS, self._children.jobs.absorb, body, owner_uid)
            case KeepResult(job, result):
                item = await self._patch(resources.JOBS, job, {"metadata": {"annotations": {TASK_RESULT: result}}})
                self._children.jobs.absorb(item)
            case DeleteJob(job):
                await self._delete(resources.JOBS, job)
            case CreateClaim(body):
                await self._create(resources.CLAIMS, self._children.absorb_claim, body, owner_uid)
            case MendClaim(claim, patch, _):
                self._children.absorb_claim(await self._patch(resources.CLAIMS, claim, patch))
            case CreateGroup(body):
                await self._create(resources.LEADER_WORKER_SETS, self._children.groups.absorb, body, owner_uid)
            case Apply():
                await self._apply(action, owner_uid, memory, now)
            case Scale():
                await self._scale(action, memory, now)
            case Adopt(kind, child, owner):
                await self._adopt(kind, child, owner)
            case Detach():
                item = await self._patch(resources.PODS, action.pod, _detached(action))
                self._children.pods.absorb(item)
            case DrainGroup(group, since, _):
                item = await self._patch(
                    resources.LEADER_WORKER_SETS, group, {"metadata": {"annotations": {DRAINING_SINCE: since}}}
                )
                self._children.groups.absorb(item)
            case TakeOffTraffic(leader, since):
                item = await self._patch(resources.PODS, leader, _off_traffic(since))
                self._children.pods.absorb(item)
            case Retier(pod, tier):
                item = await self._patch(resources.PODS, pod, {"metadata": {"labels": {TIER_LABEL: tier.value}}})
                self._children.pods.absorb(item)
            case Protect(pod, loads):
                annotations = {name: value if loads else None for name, value in PROTECTION.items()}
                item = await self._patch(resources.PODS, pod, {"metadata": {"annotations": annotations}})
                self._children.pods.absorb(item)
            case Tell():
                self._tell(action)
            case DeletePod(pod):
                await self._delete(resources.PODS, pod)
            case Replace(pod, _, reason):
                await self._delete(resources.PODS, pod)
                memory.replaced.append(reason)
            case DeleteReplicaSet(replica_set):
                await self._delete(resources.REPLICA_SETS, replica_set, as_seen=True)
            case DeleteGroup(group):
                await self._delete(resources.LEADER_WORKER_SETS, group)
            case DeleteRevision(revision):
                await self._delete(resources.CONTROLLER_REVISIONS, revision, as_seen=True)
            case DeleteOwned(kind, seen):
                await self._delete(OWNED_RESOURCES[kind], seen, as_seen=True)

    async def _create(
        self, resource: Resource, absorb: Callable[[Mapping[str, Any]], None], body: Json, owner_uid: str
    ) -> None:
        key = _key(body)
        try:
            item = await self._connection.post(resource.collection(key.namespace), body, _STRICTLY)
        except ApiError as refused:
            if refused.reason != "AlreadyExists":
                raise _moved_on_or(refused) from refused
            item = await self._connection.get(resource.path(key))
            _require_ours(body["kind"], item, owner_uid)
            absorb(item)
            raise MovedOnError(f"{body['kind']} {key} is there already") from refused
        absorb(item)

    async def _adopt(self, kind: ChildKind, child: Identity, owner: Json) -> None:
        resource, absorb = {
            ChildKind.REPLICA_SET: (resources.REPLICA_SETS, self._children.replica_sets.absorb),
            ChildKind.GROUP: (resources.LEADER_WORKER_SETS, self._children.groups.absorb),
            ChildKind.REVISION: (resources.CONTROLLER_REVISIONS, self._children.revisions.absorb),
        }[kind]
        absorb(await self._patch(resource, child, {"metadata": {"ownerReferences": [owner]}}))

    async def _apply(self, action: Apply, owner_uid: str, memory: Memory, now: float) -> None:
        kind, body, resource = action.kind, action.body, OWNED_RESOURCES[action.kind]
        key, absorb = _key(body), self._children.owned[action.kind].absorb
        what = str(body["spec"])
        if action.seen is None:
            await self._make(kind, body, owner_uid, memory, now)
            return
        # Anybody else leaves a name that server-side apply conflicts with, or adds something.
        writer = "another writer" if action.surplus else ANOTHER_STOKER
        undone = bool(action.surplus) or memory.wrote(kind, key.name, what)
        if undone and memory.undone_again(kind, key.name, what, now):
            return
        seen = {"uid": action.seen.uid, "resourceVersion": action.seen.version}
        fenced = body | {"metadata": body["metadata"] | seen}
        try:
            item = await self._connection.server_side_apply(resource.path(key), fenced, _STRICTLY)
        except ApiError as refused:
            if "FieldManagerConflict" not in refused.causes:
                raise _moved_on_or(refused) from refused
            if memory.undone_again(kind, key.name, what, now):
                return
            undone = True
            if named := _CONFLICT.search(refused.message):
                writer = named[1]
            item = await self._forced(resource, key, fenced)
        if action.surplus:
            item = await self._patch(resource, projections.identity(item), action.surplus)
        absorb(item)
        memory.was_written(kind, key.name, what)
        if undone:
            memory.was_put_back(kind, key.name, what, writer, now)

    async def _make(self, kind: ObjectKind, body: Json, owner_uid: str, memory: Memory, now: float) -> None:
        key, what, resource = _key(body), str(body["spec"]), OWNED_RESOURCES[kind]
        absorb = self._children.owned[kind].absorb
        removed = memory.wrote(kind, key.name, what)
        if removed and memory.removed_again(kind, key.name, what, now):
            return
        await self._require_absent(resource, kind, key, owner_uid, absorb)
        try:
            item = await self._connection.server_side_apply(resource.path(key), body, _STRICTLY)
        except ApiError as refused:
            raise _moved_on_or(refused) from refused
        absorb(item)
        memory.was_written(kind, key.name, what)
        if removed:
            memory.was_put_back(kind, key.name, what, "another writer", now)

    async def _forced(self, resource: Resource, key: Key, fenced: Json) -> Json:
        try:
            return await self._connection.server_side_apply(resource.path(key), fenced, _STRICTLY | {"force": "true"})
        except ApiError as refused:
            raise _moved_on_or(refused) from refused

    async def _require_absent(
        self,
        resource: Resource,
        kind: str,
        key: Key,
        owner_uid: str,
        absorb: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """An object that is not in the picture may be somebody else's, and apply would merge into it."""
        try:
            item = await self._connection.get(resource.path(key))
        except ApiError as absent:
            if absent.status == 404:
                return
            raise
        _require_ours(kind, item, owner_uid)
        absorb(item)
        raise MovedOnError(f"{kind} {key} is there already")

    async def _scale(self, action: Scale, memory: Memory, now: float) -> None:
        name, writer = action.replica_set.name, action.writer
        if memory.count_is_anothers(name, action.before) and writer in ("", FIELD_MANAGER):
            writer = ANOTHER_STOKER
        by_hand, what = writer not in ("", FIELD_MANAGER), f"not by {writer}"
        if by_hand and memory.undone_again("ReplicaSet", name, what, now):
            return
        try:
            item = await self._patch(resources.REPLICA_SETS, action.replica_set, {"spec": {"replicas": action.count}})
        except (ApiError, ApiUnreachableError):
            memory.count_was_written(name, None)
            raise
        memory.count_was_written(name, action.count)
        self._children.replica_sets.absorb(item)
        if by_hand:
            memory.was_put_back("ReplicaSet", name, what, writer, now)

    async def _patch(self, resource: Resource, seen: Identity, patch: Json) -> Json:
        """Of exactly the object that was seen: a patch cannot make one, and must not meet a successor."""
        fence = {"uid": seen.uid, "resourceVersion": seen.version}
        body = patch | {"metadata": patch.get("metadata", {}) | fence}
        try:
            return await self._connection.merge_patch(resource.path(Key(seen.namespace, seen.name)), body, _STRICTLY)
        except ApiError as refused:
            raise _moved_on_or(refused) from refused

    async def _delete(self, resource: Resource, seen: Identity, *, as_seen: bool = False) -> None:
        preconditions = {"uid": seen.uid} | ({"resourceVersion": seen.version} if as_seen else {})
        options = {"preconditions": preconditions, "propagationPolicy": "Background"}
        try:
            await self._connection.delete(resource.path(Key(seen.namespace, seen.name)), options)
        except ApiError as refused:
            if refused.status != 404:
                raise _moved_on_or(refused) from refused


def _detached(action: Detach) -> Json:
    """Without the revision's label the selector does not match, and another owner makes that final."""
    return {
        "metadata": {
            "labels": {REVISION_LABEL: None, TIER_LABEL: Tier.DRAINING.value},
            "annotations": {DRAINING_SINCE: action.since, LEFT_FROM: action.left_from},
            "ownerReferences": [action.owner],
        }
    }


def _off_traffic(since: str) -> Json:
    labels = {TIER_LABEL: Tier.DRAINING.value}
    return {"metadata": {"labels": labels, "annotations": {DRAINING_SINCE: since}}}


def _key(body: Json) -> Key:
    return Key(body["metadata"]["namespace"], body["metadata"]["name"])


def _require_ours(kind: str, item: Json, owner_uid: str) -> None:
    owner = projections.owner_uid(item)
    if owner == owner_uid or (not owner and projections.model_of(item)):
        return
    name = item["metadata"]["name"]
    whose = (
        f"belongs to another object ({owner})" if owner else f"was not made by Stoker (it has no label {MODEL_LABEL})"
    )
    message = f"it exists and {whose}: rename or remove it, or give the ModelDeployment another name."
    raise _RefusedError(Refused(f"{kind} {name}", Reason.OBJECT_IN_THE_WAY, message))


def _moved_on_or(refused: ApiError) -> Exception:
    """What only says that the plan was made from an older world."""
    terminating = refused.status == 403 and "being terminated" in refused.message
    if (refused.status in (404, 409) and refused.reason != "AlreadyExists") or terminating:
        return MovedOnError(str(refused))
    return refused


def _refusal(action: Action, answer: ApiError) -> Refused:
    """An answer that asking again will not change. Raises those that it may."""
    if answer.passing:
        raise answer
    if answer.status in (404, 409):
        raise MovedOnError(str(answer)) from answer
    what = sentence(action)
    if isinstance(action, CreateRevision | CreateReplicaSet | CreateGroup | CreateJob | CreateClaim | Apply):
        what = f"{action.body['kind']} {action.body['metadata']['name']}"
    reason = Reason.QUOTA_EXCEEDED if "exceeded quota" in answer.message else Reason.WRITE_REFUSED
    said = answer.message[:_LONGEST_MESSAGE]
    return Refused(what, reason, f"The API server refuses it: {said} → {reason.explanation.remedy}")
