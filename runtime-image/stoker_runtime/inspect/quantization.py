"""How the weights are packed, under one name whatever tool packed them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stoker_runtime.inspect.fields import Fields


@dataclass(frozen=True)
class Quantization:
    """`bits` per weight where several weights are packed into one stored element."""

    name: str
    bits: int = 8


_MODELOPT = {"FP8": ("fp8", 8), "NVFP4": ("nvfp4", 4), "W4A16_AWQ": ("int4", 4), "INT4_AWQ": ("int4", 4)}
_PLAIN = {"mxfp4": ("mxfp4", 4), "fp8": ("fp8", 8), "fbgemm_fp8": ("fp8", 8), "eetq": ("int8", 8)}


def quantization_of(top: Fields, text: Fields, separate: Mapping[str, Any] | None) -> Quantization | None:
    """`separate` is hf_quant_config.json, which some tools write instead."""
    found = top.part("quantization_config", "compression_config") or text.part("quantization_config")
    if found is not None:
        return _of_method(found)
    inner = Fields(separate or {}, "hf_quant_config.json").part("quantization")
    return _modelopt(inner) if inner is not None else None


def _of_method(found: Fields) -> Quantization | None:
    method = (found.text("quant_method") or "").lower()
    if found.flag("load_in_4bit") or found.flag("load_in_8bit"):
        return Quantization("bnb-4bit", 4) if found.flag("load_in_4bit") else Quantization("bnb-8bit")
    if method in ("gptq", "awq"):
        return Quantization(method, found.whole("bits", "w_bit") or 4)
    if method in ("compressed-tensors", "compressed_tensors"):
        return _compressed(found)
    if method.startswith("modelopt") or found.text("quant_algo"):
        return _modelopt(found)
    if method in _PLAIN:
        return Quantization(*_PLAIN[method])
    return Quantization(method) if method else None


def _modelopt(found: Fields) -> Quantization | None:
    algorithm = found.text("quant_algo")
    if algorithm is None:
        return None
    return Quantization(*_MODELOPT.get(algorithm.upper(), (algorithm.lower(), 4 if "4" in algorithm else 8)))


def _compressed(found: Fields) -> Quantization | None:
    groups = found.part("config_groups")
    for name in groups.values if groups else ():
        group = groups.part(name) if groups else None
        weights = group.part("weights") if group else None
        if weights is None:
            continue
        bits, is_float = weights.whole("num_bits") or 8, weights.text("type") == "float"
        if is_float and bits == 4:
            return Quantization("mxfp4" if weights.whole("group_size") == 32 else "nvfp4", 4)
        return Quantization(f"fp{bits}" if is_float else f"int{bits}", bits)
    return None
