"""From what was found to a folder on a claim."""

from dataclasses import replace

from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import Refusal
from stoker.core.found import Found
from stoker.core.names import claim_name
from stoker.core.plan.actions import Action
from stoker.core.plan.fetch.asking import NOTHING_IS_FETCHED, asked, job_name
from stoker.core.plan.fetch.claims import mended_claim, new_claim, size_of
from stoker.core.plan.fetch.fitting import Fit
from stoker.core.plan.fetch.jobs import ROOT, Errand, Mounted, Task
from stoker.core.plan.fetch.stage import Folders, Stage, unanswered
from stoker.core.plan.snapshot import Claim, Snapshot
from stoker.core.plan.weights import claim_weights

# So often does a download under way tell how far it is.
PROGRESS_SECONDS = 5.0
_CLAIM_LEAVES_SECONDS = 5.0


def download(snapshot: Snapshot, found: Found, fit: Fit | None, folders: Folders) -> Stage:
    claimed = _claim(snapshot, found)
    if isinstance(claimed.weights, Refusal):
        return replace(claimed, found=found, fit=fit)
    weights = claimed.weights
    keep = folders.that_stay(found.folder, snapshot.live.deployment.spec.weights.keep_revisions)
    names = {folder: job_name(snapshot.name, Task.FETCH, weights.claim, folder) for folder in (found.folder, *keep)}
    question = found.request.to_json() | {
        "revision": found.revision,
        "folder": found.folder,
        "owner": f"{snapshot.namespace}.{snapshot.name}",
        "keep": list(keep),
        "totalBytes": found.total_bytes,
    }
    mounted = Mounted(weights.claim, read_only=False, one_node=weights.one_node, bound=weights.waits is None)
    answer = asked(snapshot, Errand(Task.FETCH, names[found.folder], ("--root", ROOT), question, mounted))
    if answer.found is not None:
        stage = Stage(replace(weights, folder=found.folder, waits=None))
    else:
        under_way = Refusal(Reason.DOWNLOADING, _how_far(snapshot, found, weights.claim))
        # The scheduler says only that there is no volume; the claim says why.
        unbound = answer.waits is not None and "unbound immediate PersistentVolumeClaims" in answer.waits.message
        heard = replace(answer, waits=None) if weights.waits and unbound else answer
        stage = unanswered(heard, weights.waits or under_way)
        stage = replace(stage, fetching=stage.passing and stage.weights != NOTHING_IS_FETCHED)
        if stage.fetching:
            stage = replace(stage, look_again_seconds=PROGRESS_SECONDS)
    stage = replace(stage, found=found, fit=fit, actions=claimed.actions, jobs=frozenset(names.values()))
    return stage.after(answer)


def _claim(snapshot: Snapshot, found: Found) -> Stage:
    """The claim as `Weights` without a folder, or why there is none yet."""
    deployment = snapshot.live.deployment
    storage, keep_revisions = deployment.spec.weights.storage, deployment.spec.weights.keep_revisions
    if storage.existing_claim:
        return Stage(claim_weights(snapshot, storage.existing_claim.name, "", "spec.weights.storage.existingClaim"))
    assert storage.claim  # noqa: S101 - the schema wants exactly one of the two
    name = claim_name(snapshot.name)
    size = size_of(storage.claim, found.total_bytes, keep_revisions)
    seen = snapshot.claims.get(name)
    if seen is None:
        if deployment.spec.suspend:
            return Stage(NOTHING_IS_FETCHED, passing=True)
        making = Refusal(Reason.CLAIM_PENDING, f"The claim {name} is being made.")
        return Stage(making, passing=True, actions=(new_claim(deployment, storage.claim, size, snapshot.cluster),))
    if refusal := _not_usable(seen, snapshot):
        return refusal
    actions: tuple[Action, ...] = mended_claim(deployment, storage.claim, seen, size, snapshot.cluster)
    return Stage(claim_weights(snapshot, name, "", "the model"), actions=actions)


def _not_usable(seen: Claim, snapshot: Snapshot) -> Stage | None:
    name = seen.identity.name
    if seen.model != snapshot.name:
        return Stage(
            Refusal(
                Reason.OBJECT_IN_THE_WAY,
                f"The claim {name} exists and was not made for this model: rename or remove it,"
                " or use it on purpose as weights.storage.existingClaim.",
            )
        )
    if seen.deleting:
        leaving = Refusal(Reason.CLAIM_PENDING, f"The claim {name} is being deleted; then another one is made.")
        return Stage(leaving, passing=True, look_again_seconds=_CLAIM_LEAVES_SECONDS)
    return None


def _how_far(snapshot: Snapshot, found: Found, claim: str) -> str:
    if snapshot.progress:
        return snapshot.progress.message
    return f"A job fetches {found.request.source}, {found.total_bytes:,} bytes, to the claim {claim}."
