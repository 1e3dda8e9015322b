"""What a file of a model is, by its name."""

import re
from enum import StrEnum
from fnmatch import fnmatchcase

from stoker_runtime.facts import Format


class Other(StrEnum):
    """What is no weights in a format that engines load."""

    DESCRIPTION = "description"  # configuration, tokenizer, chat template, index, licence
    PROJECTOR = "projector"  # of a multimodal GGUF
    CODE = "code"
    LEFT_OUT = "left out"


Kind = Format | Other

_SHARD = re.compile(r"(?P<stem>.*)-(?P<number>\d{5,6})-of-(?P<count>\d{5,6})(?P<ending>\.[a-z]+)", re.IGNORECASE)
_OTHER_FOLDERS = frozenset({"onnx", "openvino", "coreml", "original", "flax", "tf", "metal", "runs", ".git", ".cache"})
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".nemo")
_CODE = (".py", ".pyc", ".pyd", ".so", ".dll", ".sh", ".ipynb")
_TRAINING = ("training_args.bin", "optimizer.*", "scheduler.*", "rng_state*", "scaler.pt", "trainer_state.json")
_OTHER_INDEXES = ("*.bin.index.json", "*.h5.index.json", "*.msgpack.index.json", "openvino*", "consolidated*.json")
_DESCRIPTIONS = (
    *("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken", "*.spm", "*.model.v[0-9]*"),
    *("licen[sc]e*", "copying*", "notice*", "use_policy*", "template", "system"),
)
_MOST_DESCRIPTION_BYTES = 256 << 20


def kind_of(path: str, size_bytes: int | None) -> Kind:
    *folders, name = path.lower().split("/")
    if any(folder in _OTHER_FOLDERS or folder.startswith("checkpoint-") for folder in folders):
        # Code and pickles are what they are wherever they lie: a pattern may name them.
        return _dangerous(name) or Other.LEFT_OUT
    return _weights(name) or _dangerous(name) or _describing(name, size_bytes or 0)


def _weights(name: str) -> Kind | None:
    if name.endswith(".gguf"):
        special = {"imatrix": Other.LEFT_OUT, "mmproj": Other.PROJECTOR}
        return next((kind for word, kind in special.items() if word in name), Format.GGUF)
    return Format.SAFETENSORS if name.endswith(".safetensors") else None


def _describing(name: str, size_bytes: int) -> Kind:
    if _is_one_of(name, _TRAINING + _OTHER_INDEXES) or size_bytes > _MOST_DESCRIPTION_BYTES:
        return Other.LEFT_OUT
    return Other.DESCRIPTION if _is_one_of(name, _DESCRIPTIONS) else Other.LEFT_OUT


def is_weights_of_training(path: str) -> bool:
    """Pickles that hold no model."""
    name = path.lower().rpartition("/")[2]
    return _is_one_of(name, _TRAINING) or name.startswith("openvino")


def is_duplicate(path: str) -> bool:
    """The same weights once more, as their makers' own code names them."""
    return path.lower().rpartition("/")[2].startswith("consolidated")


def shard_of(path: str) -> tuple[str, int, int] | None:
    """The whole that a shard belongs to, its number, and their count."""
    match = _SHARD.fullmatch(path)
    return (f"{match['stem']}{match['ending']}", int(match["number"]), int(match["count"])) if match else None


def whole_of(path: str) -> str:
    shard = shard_of(path)
    return shard[0] if shard else path


def _dangerous(name: str) -> Kind | None:
    if name.endswith(_PICKLES):
        return Format.PICKLE
    return Other.CODE if name.endswith(_CODE) else None


def _is_one_of(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
