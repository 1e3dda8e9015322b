"""Which images there are, and the hash that says whether an archive is still what its inputs make."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.images import debian, simulated_engine, vllm_packages

FOLDER = Path(__file__).parent
RECIPE = "1"  # raise it when the way of building changes what comes out


@dataclass(frozen=True)
class Image:
    name: str
    parent: str | None
    fill_context: Callable[[Path, Path], None]  # (context, the image's own folder)
    made_by: Path  # the module of fill_context, an input like the files
    code: Path | None = None  # a package of this repository that goes in

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    def key(self) -> str:
        """The hash of all that goes in. Debian's own updates do not count: raise RECIPE to take them."""
        digest = hashlib.sha256(f"{RECIPE}\0{self.name}\0".encode())
        if self.parent:
            digest.update(IMAGES[self.parent].key().encode())
        inputs = sorted(path for path in self.folder.rglob("*") if path.is_file())
        for path in [*inputs, self.made_by]:
            digest.update(f"\0{path.relative_to(FOLDER)}\0{path.stat().st_mode & 0o111}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        for name, content in _files_of(self.code) if self.code else ():
            digest.update(f"\0{name}\0".encode())
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()[:16]


def _files_of(package: Path) -> list[tuple[str, bytes]]:
    """By name, without the byte code that lies about beside them."""
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted((str(path.relative_to(package)), path.read_bytes()) for path in files)


def _made(
    name: str,
    fill: Callable[[Path, Path], None],
    module: str | None,
    parent: str | None = None,
    code: Path | None = None,
) -> Image:
    if module is None:
        raise Refusal(f"the code that makes the image {name} has no file: run from a checkout of the repository")
    return Image(name, parent, fill, Path(module), code)


IMAGES: dict[str, Image] = {
    image.name: image
    for image in (
        _made("base", debian.fill_context, debian.__file__),
        _made("vllm-cpu", vllm_packages.fill_context, vllm_packages.__file__, parent="base"),
        _made("simulated", simulated_engine.fill_context, simulated_engine.__file__, "base", simulated_engine.PACKAGE),
    )
}
