"""Which engines load which formats and quantizations, with a reason for each no. Pure: names in, sentences out.

It says what an engine can read, not that it knows the model's architecture.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stoker_runtime.facts import Format

_IN_SAFETENSORS = ("awq", "bnb-4bit", "bnb-8bit", "fp8", "gptq", "int4", "int8", "mixed_precision", "mxfp4", "nvfp4")


@dataclass(frozen=True)
class Loads:
    formats: Mapping[Format, str | None]  # None: yes; a sentence: why not
    quantizations: frozenset[str]  # of safetensors; GGUF brings its own


_GGUF_ELSEWHERE = "{engine} loads no GGUF: take the safetensors of the model, or engine llamacpp or ollama"
_GGUF_UNPACKED = "{engine} loads GGUF in full precision only: take the safetensors of the model, or engine llamacpp"
_TENSORS_ELSEWHERE = "{engine} loads GGUF only: take a GGUF of the model, or engine vllm"
_PICKLE = "{engine} loads no pickle: take a revision with safetensors"

_PYTORCH: Mapping[Format, str | None] = {
    Format.SAFETENSORS: None,
    Format.PICKLE: None,
    Format.GGUF: _GGUF_ELSEWHERE,
}
_NO_PICKLE: Mapping[Format, str | None] = {**_PYTORCH, Format.PICKLE: _PICKLE}
_GGUF_ONLY: Mapping[Format, str | None] = {
    Format.GGUF: None,
    Format.SAFETENSORS: _TENSORS_ELSEWHERE,
    Format.PICKLE: _TENSORS_ELSEWHERE,
}

ENGINES: Mapping[str, Loads] = {
    "vllm": Loads(_PYTORCH, frozenset(_IN_SAFETENSORS)),
    "sglang": Loads(_PYTORCH, frozenset(_IN_SAFETENSORS)),
    "tgi": Loads(_NO_PICKLE, frozenset({"awq", "bnb-4bit", "bnb-8bit", "exl2", "fp8", "gptq", "int4", "int8"})),
    "tensorrt-llm": Loads(
        _NO_PICKLE,
        frozenset({"awq", "fp8", "gptq", "int4", "mixed_precision", "mxfp4", "nvfp4"}),
    ),
    "transformers": Loads(
        {**_PYTORCH, Format.GGUF: _GGUF_UNPACKED},
        frozenset({"awq", "bnb-4bit", "bnb-8bit", "fp8", "gptq", "hqq", "int4", "int8", "mxfp4", "quanto"}),
    ),
    "llamacpp": Loads(_GGUF_ONLY, frozenset()),
    "ollama": Loads(_GGUF_ONLY, frozenset()),
    "exllamav2": Loads(_NO_PICKLE, frozenset({"exl2", "gptq"})),
}


# Named by tools, and loaded by none of these engines any more.
_GIVEN_UP = frozenset({"aqlm"})
_KNOWN = _GIVEN_UP.union(*(loads.quantizations for loads in ENGINES.values()))


def why_not(engine: str, weights: Format, quantization: str | None = None) -> str | None:
    """None: the engine loads them, or it, or how they are packed, is not known here and so not doubted."""
    loads = ENGINES.get(engine)
    if loads is None:
        return None
    reason = loads.formats[weights]
    if reason is not None:
        return reason.format(engine=engine)
    if _unpacks(loads, weights, quantization):
        return None
    others = engines_for(weights, quantization)
    known = f"take engine {' or '.join(others)}, or other weights" if others else "take other weights"
    return f"{engine} loads no weights in {quantization}: {known}"


def engines_for(weights: Format, quantization: str | None = None) -> tuple[str, ...]:
    """Those that load them, by name."""
    return tuple(
        sorted(
            name
            for name, loads in ENGINES.items()
            if loads.formats[weights] is None and _unpacks(loads, weights, quantization)
        )
    )


def _unpacks(loads: Loads, weights: Format, quantization: str | None) -> bool:
    """A GGUF brings how it is packed, and what is not known here is not doubted."""
    return weights is Format.GGUF or quantization not in _KNOWN or quantization in loads.quantizations
