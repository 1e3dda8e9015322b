"""What an engine lacks is said before a pod exists, with the field and what to do."""

from typing import Any

import pytest

from stoker.core.engine import Refusal
from stoker.engines import PROFILES
from tests.unit.engines.specs import mounted, refusal, server, spec

_SETTINGS: dict[str, dict[str, Any]] = {
    "spec.engine.contextLength": {"contextLength": 8192},
    "spec.engine.maxConcurrency": {"maxConcurrency": 4},
    "spec.engine.gpuMemoryPercent": {"gpuMemoryPercent": 70},
    "spec.engine.dtype": {"dtype": "float32"},
    "spec.engine.quantization": {"quantization": "nonesuch"},
    "spec.scaling.asleepReplicas": {"scaling": {"asleepReplicas": 1}},
    "spec.accelerator.count": {"accelerator": {"count": 0}},
}
_LACKS = {
    "vllm": (),
    "sglang": ("spec.scaling.asleepReplicas",),
    "llamacpp": (
        "spec.engine.maxConcurrency",  # without a contextLength
        "spec.engine.gpuMemoryPercent",
        "spec.engine.dtype",
        "spec.engine.quantization",
        "spec.scaling.asleepReplicas",
    ),
    "ollama": (
        "spec.engine.gpuMemoryPercent",
        "spec.engine.dtype",
        "spec.engine.quantization",
        "spec.scaling.asleepReplicas",
    ),
    "tgi": ("spec.engine.dtype", "spec.engine.quantization", "spec.scaling.asleepReplicas"),
    "triton": ("spec.scaling.asleepReplicas", "spec.accelerator.count"),
    "tensorrt-llm": ("spec.engine.quantization", "spec.scaling.asleepReplicas", "spec.accelerator.count"),
    "transformers": (
        "spec.engine.contextLength",
        "spec.engine.maxConcurrency",
        "spec.engine.quantization",
        "spec.scaling.asleepReplicas",
    ),
    "exllamav2": (
        "spec.engine.maxConcurrency",  # without a contextLength
        "spec.engine.gpuMemoryPercent",
        "spec.engine.dtype",
        "spec.engine.quantization",
        "spec.scaling.asleepReplicas",
        "spec.accelerator.count",
    ),
    "bentoml": (
        "spec.engine.contextLength",
        "spec.engine.maxConcurrency",
        "spec.engine.gpuMemoryPercent",
        "spec.engine.dtype",
        "spec.engine.quantization",
        "spec.scaling.asleepReplicas",
    ),
    "custom": (),
    "simulated": (),
}


@pytest.mark.parametrize("engine", _LACKS)
@pytest.mark.parametrize("field", _SETTINGS)
def test_a_setting_is_either_taken_or_refused_by_its_name(engine: str, field: str) -> None:
    made = PROFILES[engine].server(spec(engine, **_SETTINGS[field]), mounted())
    assert isinstance(made, Refusal) == (field in _LACKS[engine])
    if isinstance(made, Refusal):
        assert made.message.startswith(f"{field} is ")
        assert ": " in made.message  # what to do
        assert made.message.endswith(".")


def test_a_refusal_reads_as_a_sentence() -> None:
    assert refusal("llamacpp", dtype="bfloat16") == (
        "spec.engine.dtype is bfloat16, and llama.cpp computes in the types of the GGUF: remove it."
    )
    assert refusal("tensorrt-llm", accelerator={"count": 0}) == (
        "spec.accelerator.count is 0, and TensorRT-LLM runs on GPUs only: set it to 1 or more,"
        " or use engine vllm or llamacpp."
    )


def test_vllm_on_the_cpu_has_no_gpu_memory_to_leave() -> None:
    assert "asleepReplicas" in refusal("vllm", accelerator={"count": 0}, scaling={"asleepReplicas": 1})


def test_sleeping_is_set_up_only_where_nobody_but_the_agent_reaches_its_routes() -> None:
    asleep = {"asleepReplicas": 1}
    behind = server("vllm", scaling=asleep)
    assert behind.sleeps
    assert behind.env["VLLM_SERVER_DEV_MODE"] == "1"
    assert not server("vllm").sleeps
    assert "VLLM_SERVER_DEV_MODE" not in server("vllm").env


def test_tgi_takes_no_type_beside_a_quantization() -> None:
    assert "spec.engine.dtype" in refusal("tgi", quantization="awq", dtype="float16")


def test_requests_that_share_a_cache_need_a_length() -> None:
    for engine in ("llamacpp", "exllamav2"):
        assert "spec.engine.contextLength" in refusal(engine, maxConcurrency=4)
        server(engine, maxConcurrency=4, contextLength=4096)
        server(engine, maxConcurrency=1)


@pytest.mark.parametrize("engine", ["ollama", "triton"])
def test_a_name_that_the_engine_would_misread_is_refused(engine: str) -> None:
    assert "spec.model.servedName is team/chat" in refusal(engine, mounted(served_name="team/chat"))


def test_two_models_in_one_folder_are_refused_where_their_names_are_known() -> None:
    message = refusal("llamacpp", mounted(files=("a-Q4.gguf", "a-Q8.gguf")))
    assert "a-Q4.gguf, a-Q8.gguf" in message
    assert "files.include" in message


def test_safetensors_are_no_gguf() -> None:
    assert "model.safetensors" in refusal("ollama", mounted(files=("config.json", "model.safetensors")))


def test_a_path_that_names_a_file_is_the_file() -> None:
    made = server("llamacpp", mounted(path="/mnt/weights/models/llama.GGUF"))
    assert made.command == ()
    assert made.args[:2] == ("--model", "/mnt/weights/models/llama.GGUF")
