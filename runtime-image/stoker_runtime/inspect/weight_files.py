"""Which of a model's files are its weights: one set, whole."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stoker_runtime.facts import Format
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.inspect.unreadable import unreadable

_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.(?P<ending>safetensors|gguf|bin)")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_MOST_PARTS = 10_000


@dataclass(frozen=True)
class WeightFiles:
    format: Format
    base: str  # the folder of the model among the names: "" or "PATH/"
    names: tuple[str, ...]  # in order; with the index, the index decides
    index: str | None = None
    projector: bool = False  # a GGUF beside them sees for the model


def weight_files(names: Sequence[str]) -> WeightFiles:
    """Safetensors before GGUF before pickle. Raises WeightsError where there are none, or several models."""
    base = _base(names)
    here = [name for name in names if name.startswith(base) and "/" not in name[len(base) :]]
    own = {name[len(base) :] for name in here}
    if "config.json" not in own and "adapter_config.json" in own:
        raise unreadable(f"{base}adapter_config.json", "an adapter, not a model", "name the model that it adapts")
    if "config.json" not in own and "model_index.json" in own:
        raise unreadable(f"{base}model_index.json", "a pipeline for images", "name a model of text")
    tensors = [name for name in here if name.endswith(".safetensors")]
    if tensors or any(name.endswith(".safetensors.index.json") for name in here):
        return _safetensors(base, here, tensors)
    ggufs = [name for name in names if name.lower().endswith(".gguf")]
    if ggufs:
        return _gguf(ggufs)
    pickles = [name for name in here if name.endswith(_PICKLES)]
    preferred = [name for name in pickles if name[len(base) :].startswith("pytorch_model")]
    if pickles:
        return WeightFiles(Format.PICKLE, base, _whole_set(preferred or pickles))
    shown = ", ".join(sorted(names)[:5]) or "nothing"
    raise WeightsError(Reason.NO_WEIGHTS, f"no weights among {len(names)} files ({shown}): name a model with weights")


def _base(names: Sequence[str]) -> str:
    """The uppermost folder with a configuration."""
    found = [name for name in names if name == "config.json" or name.endswith("/config.json")]
    return min(found, key=lambda name: (name.count("/"), name)).removesuffix("config.json") if found else ""


def _safetensors(base: str, here: Sequence[str], tensors: Sequence[str]) -> WeightFiles:
    indices = [name for name in here if name.endswith(".safetensors.index.json")]
    usual = f"{base}model.safetensors"
    if indices:
        index = f"{usual}.index.json" if f"{usual}.index.json" in indices else min(indices)
        return WeightFiles(Format.SAFETENSORS, base, tuple(tensors), index)
    if usual in tensors:
        return WeightFiles(Format.SAFETENSORS, base, (usual,))
    # The same weights once more, in their publisher's own layout.
    others = [name for name in tensors if not name[len(base) :].startswith(("consolidated", "adapter"))]
    return WeightFiles(Format.SAFETENSORS, base, _whole_set(others or tensors))


def _gguf(ggufs: Sequence[str]) -> WeightFiles:
    models = [name for name in ggufs if "mmproj" not in name.rpartition("/")[2].lower()]
    if not models:
        raise unreadable(ggufs[0], "a projector, not a model", "include the model's own file")
    stems = sorted({match["stem"] if (match := _PART.fullmatch(name)) else name for name in models})
    if len(stems) > 1:
        shown = ", ".join(stems[:5])
        raise unreadable(shown, f"{len(stems)} models in one source", "choose one with files.include")
    return WeightFiles(Format.GGUF, "", _whole_set(models), projector=len(models) < len(ggufs))


def _whole_set(names: Sequence[str]) -> tuple[str, ...]:
    """Names that count themselves must be complete."""
    for name in names:
        match = _PART.fullmatch(name)
        if match is None:
            continue
        count = int(match["count"])
        if not 0 < count <= _MOST_PARTS:
            raise unreadable(name, f"one of {count} parts")
        for number in range(1, count + 1):
            part = f"{match['stem']}-{number:05}-of-{match['count']}.{match['ending']}"
            if part not in names:
                raise unreadable(part, "missing", "fetch or publish the model with all of its parts")
    return tuple(sorted(names))
