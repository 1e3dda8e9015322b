"""What of an object reaches decisions, and which objects do not."""

from typing import Any

import pytest

from stoker.core.plan.last_words import last_words
from stoker.kube import projections
from stoker_runtime.agent.exit_codes import ExitCode
from stoker_runtime.agent.termination import termination_message
from stoker_runtime.agent.verdict import Verdict


def kept_revision(name: str, **labels: str) -> dict[str, Any]:
    metadata = {"namespace": "models", "name": name, "uid": "u", "resourceVersion": "1", "labels": labels}
    return {"metadata": metadata, "revision": 1, "data": {}}


OF_A_MODEL = {"stoker.dev/model": "llama", "stoker.dev/revision": "0123456789"}


def test_a_models_own_revision_is_seen() -> None:
    found = projections.revision(kept_revision("llama-0123456789", **OF_A_MODEL))
    assert found is not None
    assert found.name == "0123456789"


@pytest.mark.parametrize("name", ["llama-0123456789-0-6dc54666b9", "llama-0123456789-0-0-6dc54666b9"])
def test_what_a_stateful_set_keeps_of_itself_under_the_labels_of_its_pods_is_not(name: str) -> None:
    assert projections.revision(kept_revision(name, **OF_A_MODEL)) is None


def test_a_group_is_one_replica_of_so_many_pods() -> None:
    annotations = {"stoker.dev/draining-since": "2026-11-21T08:00:00Z"}
    metadata = kept_revision("llama-0123456789-0", **OF_A_MODEL)["metadata"]
    metadata |= {"creationTimestamp": "2026-11-21T07:00:00Z", "annotations": annotations}
    found = projections.group({"metadata": metadata, "spec": {"leaderWorkerTemplate": {"size": 4}}})
    assert (found.size, found.revision, found.deleting) == (4, "0123456789", False)
    assert found.draining_since is not None


def test_a_pod_holds_the_extended_resources_of_all_its_containers() -> None:
    limits = [{"nvidia.com/gpu": "2", "cpu": "4"}, {"nvidia.com/gpu": 1, "rdma/hca": "1"}, None]
    containers = [{"name": str(number), "resources": {"limits": its}} for number, its in enumerate(limits)]
    metadata = kept_revision("web", **OF_A_MODEL)["metadata"] | {"creationTimestamp": "2026-11-21T07:00:00Z"}
    found = projections.pod({"metadata": metadata, "spec": {"containers": [*containers, {"name": "bare"}]}})
    assert dict(found.devices) == {"nvidia.com/gpu": 3, "rdma/hca": 1}


def test_what_an_agent_says_last_arrives_whole_however_long_it_is() -> None:
    told = termination_message(Verdict(ExitCode.GPU_MEMORY, "No memory."), ["x" * 1000] * 100)
    assert len(told) > 3000
    ended = {"name": "server", "restartCount": 1, "lastState": {"terminated": {"exitCode": 72, "message": told}}}
    metadata = kept_revision("web", **OF_A_MODEL)["metadata"] | {"creationTimestamp": "2026-11-21T07:00:00Z"}
    found = projections.pod(
        {"metadata": metadata, "spec": {"containers": []}, "status": {"containerStatuses": [ended]}}
    )
    (container,) = found.containers
    assert container.last_end
    verdict = last_words(container.last_end.message)
    assert verdict is not None
    assert verdict.reason == "GPUMemory"
