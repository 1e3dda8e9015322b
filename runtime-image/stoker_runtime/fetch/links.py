"""Files that another published folder has already: linked, not fetched."""

import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from stoker_runtime.fetch.incoming import expected_digest
from stoker_runtime.fetch.journal import Journal
from stoker_runtime.fetch.manifest import read_manifest
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.volume import Volume


def link_what_is_there(volume: Volume, partial: Path, journal: Journal, files: Sequence[RemoteFile]) -> int:
    """Links what it can and tells how many bytes that saves. Linked files are digested like all others."""
    wanted = [file for file in files if file.sha256 and file.size_bytes and file.path not in journal.recorded]
    there = dict(_published_files(volume)) if wanted else {}
    saved_bytes = 0
    for file in wanted:
        found = there.get((file.sha256 or "", file.size_bytes or 0))
        if found and _linked(found, partial / file.path, file.size_bytes or 0):
            journal.linked(file.path, file.size_bytes or 0, expected_digest(file))
            saved_bytes += file.size_bytes or 0
    return saved_bytes


def _published_files(volume: Volume) -> Iterator[tuple[tuple[str, int], Path]]:
    for folder in sorted(volume.root.iterdir()):
        manifest = None if folder.name.startswith(".") or folder.is_symlink() else read_manifest(folder)
        for file in manifest.files if manifest else ():
            yield (file.sha256, file.size_bytes), folder / file.path


def _linked(found: Path, path: Path, size_bytes: int) -> bool:
    temporary = path.with_name(f"{path.name[:100]}.{uuid.uuid4().hex}")
    try:
        if not found.is_file() or found.is_symlink() or found.stat().st_size != size_bytes:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(found, temporary)
        temporary.replace(path)
    except OSError:
        # Not every volume has links, and the other folder may go at this moment: then it is fetched.
        temporary.unlink(missing_ok=True)
        return False
    return True
