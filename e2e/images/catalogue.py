"""Which images there are, and the hash that says whether an archive is still what its inputs make."""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.images import (
    compiler,
    debian,
    llama_server,
    locked_packages,
    ollama,
    operator_packages,
    runtime_packages,
    simulated_engine,
    vllm_packages,
)

FOLDER = Path(__file__).parent
RUNTIME_IMAGE = vllm_packages.ROOT / "runtime-image"
RECIPE = "2"  # raise it when the way of building changes what comes out


@dataclass(frozen=True)
class Image:
    name: str
    parent: str | None
    fill_context: Callable[[Path, Path], None]  # (context, the image's own folder)
    made_by: tuple[Path, ...]  # the modules behind fill_context and what they take from elsewhere: inputs too
    code: Path | None = None  # a package of this repository that goes in
    elsewhere: Path | None = None  # its folder, where that is not one of those beside this file
    arguments: tuple[tuple[str, str], ...] = ()  # of the build

    @property
    def folder(self) -> Path:
        return self.elsewhere or FOLDER / self.name

    def key(self) -> str:
        """The hash of all that goes in. Debian's own updates do not count: raise RECIPE to take them."""
        digest = hashlib.sha256(repr((RECIPE, self.name, self.arguments)).encode())
        if self.parent:
            digest.update(IMAGES[self.parent].key().encode())
        inputs = [*_files_of(self.folder), *(_files_of(self.code) if self.code else ())]
        inputs += [(path.name, path) for path in self.made_by]
        for name, path in inputs:
            digest.update(f"\0{name}\0{path.stat().st_mode & 0o111}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]


def _files_of(folder: Path) -> list[tuple[str, Path]]:
    """By name, without the byte code that lies about beside them."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted((str(path.relative_to(folder)), path) for path in files)


def _image(
    name: str,
    fill: Callable[[Path, Path], None],
    parent: str | None = None,
    *,
    code: Path | None = None,
    elsewhere: Path | None = None,
    arguments: tuple[tuple[str, str], ...] = (),
    also: tuple[Path, ...] = (),
) -> Image:
    module = inspect.getsourcefile(fill)
    if module is None:
        raise Refusal(f"the code that makes the image {name} has no file: run from a checkout of the repository")
    return Image(name, parent, fill, (Path(module), *also), code, elsewhere, arguments)


_INSTALLS = (Path(locked_packages.__file__),)
_LLAMA_SOURCES = (FOLDER / "llama_sources.py", FOLDER / "llamacpp" / "llama-cpp-python.lock")
IMAGES: dict[str, Image] = {
    image.name: image
    for image in (
        _image("base", debian.fill_context),
        _image("vllm-cpu", vllm_packages.fill_context, "base", also=(*_INSTALLS, *vllm_packages.BUILD_STEPS)),
        # The class that the tests load is recorded in the image below.
        _image(
            "runtime",
            runtime_packages.fill_context,
            "vllm-cpu",
            elsewhere=RUNTIME_IMAGE,
            arguments=(("MODEL_CLASSES", ""),),
            also=_INSTALLS,
        ),
        _image("compiler", compiler.fill_context, "runtime", also=_INSTALLS),
        _image("simulated", simulated_engine.fill_context, "base", code=simulated_engine.PACKAGE),
        _image(
            "operator",
            operator_packages.fill_context,
            "base",
            code=simulated_engine.PACKAGE,
            elsewhere=operator_packages.ROOT / "operator",
            also=(*_INSTALLS, operator_packages.LOCK, operator_packages.PROJECT),
        ),
        _image("llamacpp", llama_server.fill_context, also=_LLAMA_SOURCES),
        _image("ollama", ollama.fill_context, also=_LLAMA_SOURCES),
        _image("transformers", locked_packages.fill_context, "vllm-cpu"),
        _image("bentoml", locked_packages.fill_context, "vllm-cpu"),
    )
}
