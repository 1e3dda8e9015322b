"""What an engine compiled is kept beside the weights of its own model, and nowhere else."""

from dataclasses import replace
from typing import Any

import pytest

from stoker.core.plan.actions import CreateReplicaSet
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Snapshot
from stoker_runtime.agent.options import options_from
from tests.unit.plan.builders import claim, cluster
from tests.unit.plan.fetching import GIB, IMAGE, fetched, hub, inspected, own_claim

KEPT = "/mnt/compiled"


def ready_to_run(
    claims: dict[str, Any] | None = None, configuration: dict[str, Any] | None = None, **spec: Any
) -> Snapshot:
    """A model of a hub, on the GPU, whose weights have arrived."""
    settings = cluster(configuration={"runtime": {"image": IMAGE}} | (configuration or {}))
    chosen = {"engine": {"name": "vllm"}, "accelerator": {"count": 1}} | spec
    world = inspected(hub(cluster=settings, spec=chosen))
    return fetched(replace(world, claims=claims or {"llama-weights": own_claim()}))


def server_of(world: Snapshot) -> dict[str, Any]:
    (made,) = [action for action in plan(world).actions if isinstance(action, CreateReplicaSet)]
    server: dict[str, Any] = made.body["spec"]["template"]["spec"]["containers"][0]
    return server


def kept_mounts(server: dict[str, Any]) -> list[dict[str, Any]]:
    return [mount for mount in server["volumeMounts"] if mount["mountPath"] == KEPT]


def key_of(world: Snapshot) -> str:
    args = server_of(world)["args"]
    key: str = args[args.index("--compiled-key") + 1]
    return key


def test_a_pod_sees_the_folder_of_its_own_model_on_its_own_claim_and_no_other() -> None:
    server = server_of(ready_to_run())
    (mount,) = kept_mounts(server)
    assert mount == {"name": "weights", "mountPath": KEPT, "subPath": ".stoker/compiled/models.llama"}
    (own,) = [one["mountPath"] for one in server["volumeMounts"] if one["name"] == "compiled"]
    options = options_from(server["args"][1:])
    assert (str(options.compiled), str(options.compiled_kept)) == (own, KEPT)


@pytest.mark.parametrize(
    "other",
    [
        {"engine": {"name": "vllm", "contextLength": 4096}},
        {"engine": {"name": "vllm", "args": ["--no-enable-prefix-caching"]}},
        {"accelerator": {"count": 1, "products": ["NVIDIA-H100-80GB-HBM3"]}},
    ],
    ids=["a flag", "an argument", "a GPU"],
)
def test_another_flag_or_gpu_is_another_key(other: dict[str, Any]) -> None:
    assert key_of(ready_to_run(**other)) != key_of(ready_to_run())


def test_another_image_is_another_key_and_the_same_spec_is_the_same() -> None:
    newer = {"runtime": {"image": "registry.example.com/stoker/runtime:2"}}
    assert key_of(ready_to_run(configuration=newer)) != key_of(ready_to_run())
    assert key_of(ready_to_run()) == key_of(ready_to_run())


def test_on_a_claim_that_others_may_use_nothing_is_kept() -> None:
    shared = {"storage": {"existingClaim": {"name": "shared"}}}
    server = server_of(ready_to_run({"shared": claim("shared", size_bytes=40 * GIB)}, weights=shared))
    assert kept_mounts(server) == []
    assert "--compiled-key" not in server["args"]


@pytest.mark.parametrize("engine", [{"name": "simulated"}, {"name": "vllm", "image": "registry.example.com/vllm:1"}])
def test_where_nothing_is_compiled_or_no_agent_carries_it_nothing_is_kept(engine: dict[str, Any]) -> None:
    assert kept_mounts(server_of(ready_to_run(engine=engine))) == []
