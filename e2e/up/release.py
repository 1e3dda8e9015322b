"""The release of the chart: installed, or left as it is where nothing would change."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.up.target import ROOT, Target, last_words

CHART = ROOT / "charts" / "stoker"
NAME = "stoker"
NAMESPACE = "stoker-system"
_DEPLOYMENT = "deployment/stoker-operator"
_LONGEST = "--timeout=5m"


@dataclass(frozen=True)
class Release:
    """What helm says of the last revision."""

    status: str
    description: str

    @property
    def interrupted(self) -> bool:
        return self.status.startswith("pending-")


def mark_of(values: str) -> str:
    """What a revision is described by, so that the next `up` knows whether it would change anything."""
    digest = hashlib.sha256(values.encode())
    for path in sorted(_files(CHART)):
        digest.update(f"\0{path.relative_to(CHART)}\0".encode() + path.read_bytes())
    return f"chart and values {digest.hexdigest()[:16]}"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def release_of(target: Target) -> Release | None:
    """None where nothing is installed."""
    answer = target.run(*target.helm, "status", NAME, f"--namespace={NAMESPACE}", "--output=json")
    if answer.returncode != 0:
        if "release: not found" in answer.stderr:
            return None
        raise Refusal(f"helm status {NAME}: {last_words(answer)}")
    info = json.loads(answer.stdout)["info"]
    return Release(str(info.get("status", "unknown")), str(info.get("description", "")))


def install(target: Target, values: str) -> bool:
    """Says whether it had to."""
    mark = mark_of(values)
    before = release_of(target)
    if before == Release("deployed", mark) and _deployment_is_there(target):
        wait_until_it_runs(target)
        return False
    if before and before.interrupted:
        _clear(target, before)
    flags = ["--create-namespace", "--wait", _LONGEST, "--description", mark, "--values=-"]
    if target.ours:
        flags.append("--take-ownership")  # of a definition that kubectl brought before
    answer = _helm(target, "upgrade", "--install", NAME, str(CHART), *flags, stdin=values)
    if answer:
        look = f"kubectl logs {_DEPLOYMENT} --namespace={NAMESPACE} --all-pods"
        raise Refusal(f"helm upgrade --install {NAME}: {answer} (`{look}` may say more)")
    return True


def wait_until_it_runs(target: Target) -> None:
    target.ask("rollout", "status", _DEPLOYMENT, f"--namespace={NAMESPACE}", _LONGEST)


def _deployment_is_there(target: Target) -> bool:
    return bool(target.ask("get", _DEPLOYMENT, f"--namespace={NAMESPACE}", "--ignore-not-found", "--output=name"))


def _clear(target: Target, release: Release) -> None:
    """A helm that was killed half-way leaves a mark that the next one stops at."""
    undo = "uninstall" if release.status == "pending-install" else "rollback"
    if not target.ours:
        raise Refusal(
            f"release {NAME} is {release.status}: another helm is at work, or one was interrupted; if so,"
            f" `helm {undo} {NAME} --namespace={NAMESPACE}` clears it"
        )
    if said := _helm(target, undo, NAME, "--wait", _LONGEST):
        raise Refusal(f"helm {undo} {NAME}, after an install that was interrupted: {said}")


def _helm(target: Target, *arguments: str, stdin: str = "") -> str:
    """What went wrong, in its last words; empty where nothing did."""
    answer = target.run(*target.helm, *arguments, f"--namespace={NAMESPACE}", stdin=stdin)
    return last_words(answer) if answer.returncode != 0 else ""
