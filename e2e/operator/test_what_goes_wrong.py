"""What goes wrong on a real node is said in a condition, with what a person needs to mend it."""

import pytest

from e2e.operator.conftest import Models

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("running_operator")]


def test_an_image_that_cannot_be_pulled(models: Models) -> None:
    models.create(engine={"image": "localhost/stoker/no-such-image:1"})
    assert "no-such-image" in models.wait_for_reason("Ready", "ImagePullFailed")


def test_an_engine_that_crashes_is_quoted(models: Models) -> None:
    models.create(script="echo unknown flag: --fast; exit 3")
    message = models.wait_for_reason("Ready", "CrashLoop")
    assert "unknown flag: --fast" in message
    assert "exit code 3" in message


def test_an_engine_whose_gpu_memory_is_full(models: Models) -> None:
    models.create(script="echo torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB; exit 1")
    assert "Tried to allocate 2.00 GiB" in models.wait_for_reason("Ready", "OutOfGPUMemory")


def test_an_engine_that_takes_more_memory_than_its_limit(models: Models) -> None:
    models.create(
        script="x=0123456789abcdef; while true; do x=$x$x; done",
        resources={"limits": {"memory": "32Mi"}},
    )
    assert "exit code 137" in models.wait_for_reason("Ready", "OutOfHostMemory", seconds=120)


def test_more_gpus_than_any_node_has(models: Models) -> None:
    models.create(accelerator={"count": 64})
    message = models.wait_for_reason("Scheduled", "Unschedulable")
    assert "64 nvidia.com/gpu more are needed, 64 on one node, which 1 of 1 node lacks" in message


def test_a_secret_that_does_not_exist(models: Models) -> None:
    key = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "no-such-secret", "key": "token"}}}
    models.create(engine={"env": [key]})
    assert 'secret "no-such-secret" not found' in models.wait_for_reason("Ready", "ConfigurationMissing")


def test_a_quota_that_is_used_up(models: Models) -> None:
    quota = {"hard": {"requests.nvidia.com/gpu": "1"}}
    models.namespace.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "gpus"}, "spec": quota})
    models.create(replicas=2)
    message = models.wait_for_reason("Scheduled", "QuotaExceeded")
    assert "exceeded quota: gpus" in message
    models.wait_ready()


def test_a_priority_class_that_does_not_exist(models: Models) -> None:
    models.create(template={"spec": {"priorityClassName": "no-such-class"}})
    assert "no-such-class" in models.wait_for_reason("Degraded", "PriorityClassUnknown")


def test_a_claim_that_does_not_exist(models: Models) -> None:
    models.create(model={"source": "pvc://no-such-claim/tiny"})
    assert "no-such-claim" in models.wait_for_reason("WeightsReady", "ClaimMissing")


def test_a_storage_class_that_does_not_exist(models: Models) -> None:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "64Mi"}},
        "storageClassName": "no-such-class",
    }
    models.namespace.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "stuck"}, "spec": spec}
    )
    models.create(model={"source": "pvc://stuck/tiny"})
    assert "no-such-class" in models.wait_for_reason("WeightsReady", "StorageClassMissing")


def test_a_template_that_asks_for_the_host(models: Models) -> None:
    models.create(template={"spec": {"hostNetwork": True}})
    assert "spec.hostNetwork" in models.wait_for_reason("Stalled", "NotAllowed")


def test_a_problem_that_was_mended_is_forgotten(models: Models) -> None:
    models.create(script="exit 3")
    models.wait_for_reason("Degraded", "CrashLoop")
    models.create()
    models.wait_ready()
    models.wait_for_reason("Degraded", "NoProblem")
