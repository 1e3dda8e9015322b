"""Build an image into an archive that is kept until its inputs change."""

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.cache import cache_folder, file_lock, require_free_disk
from e2e.cluster.debian_packages import require_packages
from e2e.cluster.refusal import Refusal
from e2e.images.buildah import Buildah
from e2e.images.catalogue import IMAGES, Image

DISK_GIB = 8
IMAGE_PACKAGES = {
    "buildah": "buildah",
    "cmake": "cmake",
    "debootstrap": "debootstrap",
    "g++": "g++",
    "ninja": "ninja-build",
    "strip": "binutils",
    "unshare": "util-linux",
}


@dataclass(frozen=True)
class ImageArchive:
    reference: str
    path: Path


def build(name: str) -> ImageArchive:
    """The image's archive, after building it if its inputs, or its parent's, have changed."""
    if name not in IMAGES:
        raise Refusal(f"no image {name!r}: choose of {', '.join(IMAGES)}")
    image = IMAGES[name]
    archive = _archive(image)
    if archive.path.exists():
        return archive
    parent = build(image.parent) if image.parent else None
    with file_lock(cache_folder() / "images" / ".lock", "another start is building images: waiting for it"):
        if not archive.path.exists():
            _build(image, archive, parent)
    return archive


def _archive(image: Image) -> ImageArchive:
    key = image.key()
    path = cache_folder().absolute() / "images" / f"{image.name}-{key}.tar"
    return ImageArchive(f"localhost/stoker/{image.name}:{key}", path)


def _build(image: Image, archive: ImageArchive, parent: ImageArchive | None) -> None:
    if os.geteuid() != 0:
        raise Refusal(f"building the image {image.name} needs root: run it with sudo")
    require_packages(IMAGE_PACKAGES, install=False)
    require_free_disk(archive.path.parent, DISK_GIB, f"building the image {image.name}")
    started = time.monotonic()
    print(f"building the image {image.name}", flush=True)
    containers = cache_folder().absolute() / "containers"
    # Under the lock nobody else is at work here: what lies here is left from a build that was killed.
    shutil.rmtree(containers, ignore_errors=True)
    containers.mkdir()
    with tempfile.TemporaryDirectory(dir=containers) as scratch:
        context = Path(scratch, "context")
        shutil.copytree(image.folder, context, ignore=shutil.ignore_patterns("__pycache__"))
        image.fill_context(context, image.folder)
        _say(image, "context ready", started)
        buildah = Buildah(Path(scratch, "storage"), image.name)
        base = (("BASE_IMAGE", f"oci-archive:{parent.path}"),) if parent else ()
        buildah.build(context, archive.reference, (*base, *image.arguments))
        _say(image, "committed", started)
        partial = Path(scratch, "archive.tar")
        buildah.push(archive.reference, partial)
        partial.rename(archive.path)
    size_mb = archive.path.stat().st_size / 1e6
    print(f"built the image {image.name} in {time.monotonic() - started:.0f} s ({size_mb:.0f} MB)", flush=True)


def _say(image: Image, what: str, started: float) -> None:
    print(f"  {image.name}: {what}, {time.monotonic() - started:.0f} s", flush=True)
