"""Write the safetensors format: eight bytes of length, a JSON header, the tensors one after another."""

import json
from pathlib import Path
from typing import Any

from e2e.models.weights import Tensor

ALIGNMENT = 8


def write_single(target: Path, tensors: list[Tensor]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        end = offset + len(tensor.bfloat16)
        header[tensor.name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    with target.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.writelines(tensor.bfloat16 for tensor in tensors)


def write_sharded(folder: Path, tensors: list[Tensor]) -> None:
    """One file for the embeddings, one per layer, one for the rest, and the index over them."""
    shards: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        shards.setdefault(_shard(tensor.name), []).append(tensor)
    weight_map: dict[str, str] = {}
    for number, members in enumerate(shards.values(), start=1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        write_single(folder / name, members)
        weight_map |= {tensor.name: name for tensor in members}
    total = sum(len(tensor.bfloat16) for tensor in tensors)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def _shard(tensor_name: str) -> str:
    parts = tensor_name.split(".")
    if parts[1] == "layers":
        return parts[2]
    return "embeddings" if parts[1] == "embed_tokens" else "head"
