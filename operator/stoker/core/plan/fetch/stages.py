"""From a source to weights on a volume, one step at a time:

    inspect   a job resolves the revision, lists the files and reads their headers; nothing is downloaded
    fit       what it found is held against the memory of the accelerators
    claim     a claim of the right size is made, or the one that exists is used
    fetch     a job downloads, verifies and publishes the revision's folder

Each step leaves its trace in the cluster (a job with its result, a claim, a folder), so a plan finds out where things
stand and remembers nothing. A revision that was made keeps what was found for it: its inspection is never done again,
so a branch that moves on changes nothing under a running model.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stoker.api.v1alpha1.accelerator import FitCheck
from stoker.api.v1alpha1.reason import Reason
from stoker.api.values.source import ClaimSource, ModelSource
from stoker.core.engine import Refusal
from stoker.core.found import Found, Request
from stoker.core.plan.fetch.asking import asked, job_name
from stoker.core.plan.fetch.download import download
from stoker.core.plan.fetch.fitting import Fit, FitState, fit_of
from stoker.core.plan.fetch.jobs import ROOT, Errand, Mounted, Task
from stoker.core.plan.fetch.stage import Folders, Stage, unanswered
from stoker.core.plan.revision import Rendered
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.weights import claim_weights
from stoker_runtime.facts import Facts, Format


def stage_of(snapshot: Snapshot, formats: frozenset[Format], revision: Rendered | None, folders: Folders) -> Stage:
    """`revision` is the one that was made already, with what was found for it then."""
    if revision is None:
        request = Request.of(snapshot.live.deployment.spec, formats)
        source = ModelSource.parse(request.source)
        if isinstance(source, ClaimSource):
            return _in_place(snapshot, source, request)
        return _fetched(snapshot, request, folders)
    found = revision.found
    fit = fit_of(snapshot, found.facts) if found else None
    if found and found.folder:
        return download(snapshot, found, fit, folders)
    place = ClaimSource.parse(revision.input["model"]["source"])
    return Stage(claim_weights(snapshot, place.claim, place.path or ""), found=found, fit=fit)


def _in_place(snapshot: Snapshot, source: ClaimSource, request: Request) -> Stage:
    """Weights that somebody else put on a claim are looked at, where there is an image for it."""
    weights = claim_weights(snapshot, source.claim, source.path or "")
    if isinstance(weights, Refusal) or snapshot.cluster.configuration.runtime.image is None:
        return Stage(weights)
    mounted = Mounted(source.claim, read_only=True, one_node=weights.one_node, bound=weights.waits is None)
    errand = _inspection(snapshot, request, ("--mounted", ROOT), mounted)
    answer = asked(snapshot, errand)
    jobs = frozenset({errand.name})
    if answer.found is None:
        under_way = weights.waits or Refusal(Reason.INSPECTING, f"A job reads {source}.")
        return replace(unanswered(answer, under_way), jobs=jobs).after(answer)
    found = _found(request, answer.found, folder="")
    fit = fit_of(snapshot, found.facts)
    refusal = _misfit(snapshot, fit)
    return Stage(refusal or replace(weights, waits=None), found=found, fit=fit, jobs=jobs).after(answer)


def _fetched(snapshot: Snapshot, request: Request, folders: Folders) -> Stage:
    if snapshot.cluster.configuration.runtime.image is None:
        return Stage(
            Refusal(
                Reason.NO_FETCH_IMAGE,
                f"spec.model.source {request.source} has to be fetched, and the operator's configuration has no image"
                " for that: set runtime.image in it, or put the weights on a claim and write pvc://CLAIM/PATH.",
            )
        )
    errand = _inspection(snapshot, request, (), None)
    answer = asked(snapshot, errand)
    jobs = frozenset({errand.name})
    if answer.found is None:
        under_way = Refusal(Reason.INSPECTING, f"A job reads what {request.source} is.")
        return replace(unanswered(answer, under_way), jobs=jobs).after(answer)
    found = _found(request, answer.found)
    fit = fit_of(snapshot, found.facts)
    if refusal := _misfit(snapshot, fit):
        return Stage(refusal, found=found, fit=fit, jobs=jobs).after(answer)
    stage = download(snapshot, found, fit, folders)
    return replace(stage, jobs=stage.jobs | jobs).after(answer)


def _inspection(snapshot: Snapshot, request: Request, args: tuple[str, ...], mounted: Mounted | None) -> Errand:
    question = request.to_json()
    return Errand(Task.INSPECT, job_name(snapshot.name, Task.INSPECT, question, args), args, question, mounted)


def _found(request: Request, value: Mapping[str, Any], folder: str | None = None) -> Found:
    facts = value.get("facts")
    return Found(
        request,
        value["revision"],
        value["folder"] if folder is None else folder,
        value["totalBytes"],
        Facts.from_json(facts) if facts else None,
        tuple(value["names"]) if value.get("names") else None,
    )


def _misfit(snapshot: Snapshot, fit: Fit | None) -> Refusal | None:
    enforced = snapshot.live.deployment.spec.accelerator.fit_check == FitCheck.ENFORCE
    if fit is None or fit.state is not FitState.NO or not enforced:
        return None
    return Refusal(Reason.DOES_NOT_FIT, fit.message)
