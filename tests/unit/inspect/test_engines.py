"""Which engines load what."""

import pytest

from stoker.engines import PROFILES
from stoker_runtime.facts import Format
from stoker_runtime.inspect.engines import ENGINES, engines_for, why_not

KNOWN = ("awq", "bnb-4bit", "bnb-8bit", "exl2", "fp8", "gptq", "int4", "int8", "mxfp4", "nvfp4", "Q4_K_M", None)


@pytest.mark.parametrize(
    ("engine", "weights", "quantization"),
    [
        ("vllm", Format.SAFETENSORS, "nvfp4"),
        ("sglang", Format.SAFETENSORS, "awq"),
        ("tensorrt-llm", Format.SAFETENSORS, "fp8"),
        ("llamacpp", Format.GGUF, "Q4_K_M"),
        ("ollama", Format.GGUF, None),
        ("exllamav2", Format.SAFETENSORS, "exl2"),
        ("transformers", Format.PICKLE, None),
        ("an engine of the user's own", Format.GGUF, None),
    ],
)
def test_an_engine_loads_what_it_is_made_for(engine: str, weights: Format, quantization: str | None) -> None:
    assert why_not(engine, weights, quantization) is None


@pytest.mark.parametrize(
    ("engine", "weights", "quantization", "remedy"),
    [
        ("llamacpp", Format.SAFETENSORS, None, "GGUF"),
        ("tgi", Format.GGUF, "Q4_K_M", "llamacpp"),
        ("tgi", Format.SAFETENSORS, "nvfp4", "vllm"),
        ("exllamav2", Format.SAFETENSORS, "fp8", "vllm"),
        ("vllm", Format.SAFETENSORS, "exl2", "exllamav2"),
        ("exllamav2", Format.PICKLE, None, "safetensors"),
        ("transformers", Format.GGUF, "Q4_K_M", "llamacpp"),
        ("vllm", Format.SAFETENSORS, "aqlm", "other weights"),
    ],
)
def test_a_no_names_what_to_take_instead(engine: str, weights: Format, quantization: str | None, remedy: str) -> None:
    reason = why_not(engine, weights, quantization)
    assert reason is not None
    assert reason.startswith(engine)
    assert remedy in reason


@pytest.mark.parametrize("weights", list(Format))
@pytest.mark.parametrize("quantization", KNOWN)
def test_the_engines_that_are_named_are_those_without_a_no(weights: Format, quantization: str | None) -> None:
    without = {name for name in ENGINES if why_not(name, weights, quantization) is None}
    assert set(engines_for(weights, quantization)) == without


def test_a_packing_that_nobody_here_knows_is_doubted_of_no_engine() -> None:
    assert why_not("vllm", Format.SAFETENSORS, "of next year") is None
    assert engines_for(Format.SAFETENSORS, "of next year") == engines_for(Format.SAFETENSORS)


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_what_is_fetched_for_an_engine_is_what_it_loads(engine: str) -> None:
    formats = PROFILES[engine].formats
    assert formats == {weights for weights in Format if why_not(engine, weights) is None}


def test_every_engine_answers_for_every_format() -> None:
    assert all(set(loads.formats) == set(Format) for loads in ENGINES.values())
