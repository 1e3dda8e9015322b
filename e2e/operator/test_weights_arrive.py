"""Weights of a hub come to a volume: whole and verified, or not at all, and each byte once."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.models.build import build as build_model
from e2e.operator.conftest import Models, Operators
from e2e.operator.hub import Hub, running_hub
from e2e.operator_process import OperatorProcess
from e2e.running_cluster import RunningCluster, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SOURCE = "hf://tests/tiny-llama"
HEADER_BYTES = 256 * 1024  # what is read of a file to learn what model it is


@pytest.fixture(scope="module")
def hub_process(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    build_model("tiny-llama", folder / "tests" / "tiny-llama")
    second = folder / "tests" / "tiny-llama-2"
    shutil.copytree(folder / "tests" / "tiny-llama", second)
    (second / "generation_config.json").write_text('{"temperature": 0.5}')
    with running_hub(cluster, folder) as hub:
        yield hub


@pytest.fixture
def hub(hub_process: Hub) -> Hub:
    hub_process.mend()
    return hub_process


@pytest.fixture(scope="module")
def fetching_operator(operators: Operators, hub_process: Hub) -> Iterator[OperatorProcess]:
    load_image(operators.cluster.layout, "simulated")
    image = build_image("simulated").reference
    weights = {"env": {"HF_ENDPOINT": hub_process.url}, "requests": {"cpu": "100m", "memory": "64Mi"}}
    with operators.operator(runtime={"image": image}, weights=weights) as process:
        yield process


@pytest.fixture
def fetched_models(models: Models, fetching_operator: OperatorProcess) -> Models:  # noqa: ARG001 - runs meanwhile
    return models


def create(models: Models, name: str = "web", source: str = SOURCE, **spec: Any) -> None:
    models.create(name, engine={"name": "simulated", "image": None, "custom": None}, model={"source": source}, **spec)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_a_model_of_a_hub_is_inspected_fetched_and_served(
    fetched_models: Models, hub: Hub, figure: Callable[[str, float], None]
) -> None:
    began = time.monotonic()
    create(fetched_models)
    fetched_models.wait_ready(seconds=120)
    figure("from a hub's model to Ready, simulated engine", time.monotonic() - began)
    status = fetched_models.namespace.json("get", "mdep/web")["status"]
    assert status["weights"]["claimName"] == "web-weights"
    assert status["weights"]["fetchedBytes"] == status["weights"]["totalBytes"] > 2_000_000
    assert hub.weight_bytes_served() > 2_000_000
    assert status["model"]["architecture"] == "LlamaForCausalLM"
    assert fetched_models.condition("WeightsReady")["status"] == "True"


def test_a_second_model_on_a_shared_claim_downloads_nothing(fetched_models: Models, hub: Hub) -> None:
    shared = {"storage": {"existingClaim": {"name": "weights"}}}
    create(fetched_models, "one", weights=shared)
    fetched_models.wait_ready("one", 120)
    hub.mend()
    create(fetched_models, "two", weights=shared)
    fetched_models.wait_ready("two", 120)
    assert hub.weight_bytes_served() <= HEADER_BYTES


def test_a_wrong_byte_publishes_nothing_and_is_named(fetched_models: Models, hub: Hub) -> None:
    hub.spoil(wrong_byte_at=200_000, path="*.safetensors")
    create(fetched_models)
    message = fetched_models.wait_for_reason("WeightsReady", "DigestMismatch", seconds=120)
    assert "model.safetensors" in message
    assert fetched_models.pods() == {}


def test_a_wrong_name_is_known_before_a_volume_or_a_gpu_is_touched(fetched_models: Models, hub: Hub) -> None:
    del hub
    create(fetched_models, source=f"{SOURCE}@no-such-branch")
    message = fetched_models.wait_for_reason("WeightsReady", "SourceNotFound")
    assert "no-such-branch" in message
    claims = fetched_models.namespace.json("get", "persistentvolumeclaims")["items"]
    assert [claim["metadata"]["name"] for claim in claims] == ["weights"]


def test_retained_weights_are_adopted_by_a_model_of_the_same_name(fetched_models: Models, hub: Hub) -> None:
    create(fetched_models)
    fetched_models.wait_ready(seconds=120)
    fetched_models.namespace.kubectl("delete", "mdep/web", "--wait")
    until(lambda: fetched_models.pods() == {}, "the pods' end")
    assert fetched_models.namespace.json("get", "pvc/web-weights")["status"]["phase"] == "Bound"
    hub.mend()
    create(fetched_models)
    fetched_models.wait_ready(seconds=120)
    assert hub.weight_bytes_served() <= HEADER_BYTES


def test_weights_that_go_with_the_model_are_gone_after_it(fetched_models: Models, hub: Hub) -> None:
    del hub
    create(fetched_models, weights={"deletionPolicy": "Delete"})
    fetched_models.wait_ready(seconds=120)
    fetched_models.namespace.kubectl("delete", "mdep/web", "--wait")

    def gone() -> bool:
        return "web-weights" not in fetched_models.namespace.kubectl("get", "pvc", "--output=name")

    until(gone, "the claim's end", 90)


def test_another_source_rolls_out_and_going_back_downloads_nothing(fetched_models: Models, hub: Hub) -> None:
    create(fetched_models)
    fetched_models.wait_ready(seconds=120)
    first = fetched_models.pods()
    create(fetched_models, source=f"{SOURCE}-2")
    until(lambda: not set(fetched_models.pods()) & set(first) and fetched_models.pods() != {}, "the second", 120)
    fetched_models.wait_settled(seconds=120)
    hub.mend()
    create(fetched_models)
    second = fetched_models.pods()
    until(lambda: not set(fetched_models.pods()) & set(second) and fetched_models.pods() != {}, "the first again", 120)
    assert hub.weight_bytes_served() == 0


def test_a_namespace_goes_with_everything_in_it(fetched_models: Models, hub: Hub) -> None:
    del hub
    create(fetched_models)
    fetched_models.wait_ready(seconds=120)
    fetched_models.namespace.cluster.kubectl("delete", "namespace", fetched_models.namespace.name, "--timeout=120s")
