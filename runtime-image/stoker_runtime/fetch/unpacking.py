"""Layers that are archives: unpacked beside, chosen from, and only then moved to where they are published.

A run that is killed here unpacks again from the archives, which stay until the end."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stoker_runtime.fetch.manifest import ManifestFile, sha256_of
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.sources.archive import unpack
from stoker_runtime.fetch.sources.compression import most_unpacked_bytes
from stoker_runtime.fetch.volume import free_bytes, writing

_BESIDE = ".stoker-unpacked"

Select = Callable[[Sequence[RemoteFile]], Sequence[RemoteFile]]


def unpack_all(
    partial: Path, fetched: Sequence[ManifestFile], prefixes: Mapping[str, str], select: Select
) -> list[ManifestFile]:
    """`prefixes` has the paths of the archives, in their order, and what is taken off the paths in each."""
    beside = partial / _BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    sizes = {file.path: file.size_bytes for file in fetched}
    with writing(partial):
        beside.mkdir()
        for path, prefix in prefixes.items():
            most_bytes = min(most_unpacked_bytes(sizes[path]), free_bytes(partial))
            with (partial / path).open("rb") as archive:
                unpack(archive, beside, most_bytes, prefix)
        plain = [file for file in fetched if file.path not in prefixes]
        found = [path.relative_to(beside).as_posix() for path in sorted(beside.rglob("*")) if path.is_file()]
        listed = [RemoteFile(path, (beside / path).stat().st_size) for path in found]
        listed += [RemoteFile(file.path, file.size_bytes) for file in plain if file.path not in found]
        chosen = {file.path for file in select(listed)}
        known = {file.path: file for file in plain}
        taken = [_moved(beside / path, partial / path, path) for path in found if path in chosen]
        shutil.rmtree(beside)
    return taken + [known[path] for path in sorted(chosen - set(found))]


def _moved(source: Path, target: Path, path: str) -> ManifestFile:
    """A link inside of the archive becomes the file that it leads to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    os.link(source.resolve(), target)
    return ManifestFile(path, target.stat().st_size, sha256_of(target))
