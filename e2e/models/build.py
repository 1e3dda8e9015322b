"""Write one of the models into a folder."""

from collections.abc import Callable
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.models.gguf_file import write_gguf
from e2e.models.llama import LASTING, SMALL, TINY, Llama
from e2e.models.model_files import describing_files
from e2e.models.safetensors_file import write_sharded, write_single
from e2e.models.tokenizer import Tokenizer, trained_tokenizer
from e2e.models.weights import Tensor, random_weights

Writer = Callable[[Path, Llama, Tokenizer, list[Tensor]], None]


def _safetensors(folder: Path, llama: Llama, tokenizer: Tokenizer, tensors: list[Tensor]) -> None:
    _describe(folder, llama, tokenizer)
    write_single(folder / "model.safetensors", tensors)


def _sharded(folder: Path, llama: Llama, tokenizer: Tokenizer, tensors: list[Tensor]) -> None:
    _describe(folder, llama, tokenizer)
    write_sharded(folder, tensors)


def _gguf(folder: Path, llama: Llama, tokenizer: Tokenizer, tensors: list[Tensor]) -> None:
    write_gguf(folder / "tiny-llama-f16.gguf", llama, tokenizer, tensors)


MODELS: dict[str, tuple[Llama, Writer]] = {
    "tiny-llama": (TINY, _safetensors),
    "tiny-llama-sharded": (TINY, _sharded),
    "tiny-llama-gguf": (TINY, _gguf),
    "small-llama": (SMALL, _safetensors),
    "lasting-llama": (LASTING, _safetensors),
}


def build(name: str, folder: Path) -> list[Path]:
    """Write the model's files, readable by all, and return their paths."""
    if name not in MODELS:
        raise Refusal(f"no model {name!r}: choose one of {', '.join(MODELS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refusal(f"{folder} is there already and not empty: name a new folder with --to")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"cannot make {folder} ({error.strerror}): name another folder with --to") from error
    llama, write = MODELS[name]
    tokenizer = trained_tokenizer(llama.vocabulary)
    write(folder, llama, tokenizer, random_weights(llama, tokenizer))
    files = sorted(folder.iterdir())
    for path in files:
        path.chmod(0o644)  # model servers run as another user
    return files


def _describe(folder: Path, llama: Llama, tokenizer: Tokenizer) -> None:
    for name, text in describing_files(llama, tokenizer).items():
        (folder / name).write_text(text)
