"""Which folders of a volume stay. An owner refers to the folders it uses; what nobody refers to is deleted.

A reference is written before its folder is looked for, and read again after a folder was renamed away: so either the
deleting side sees the reference and puts the folder back, or the other side sees no folder and fetches it."""

import shutil
import uuid
from collections.abc import Collection
from pathlib import Path

from stoker_runtime.fetch.lock import Lock, LockTimes
from stoker_runtime.fetch.manifest import read_manifest
from stoker_runtime.fetch.volume import Volume, checked_name, writing


def refer(volume: Volume, folder: str, owner: str) -> None:
    path = volume.references / checked_name("folder", folder) / checked_name("owner", owner)
    with writing(path):
        while True:
            try:
                path.parent.mkdir(exist_ok=True)
                path.touch()
            except FileNotFoundError:
                continue  # its folder was empty and went just now
            return


def forget(volume: Volume, owner: str, keep: Collection[str]) -> None:
    """The owner's references to all but `keep` go."""
    for folder in volume.references.iterdir():
        if folder.name not in keep:
            (folder / checked_name("owner", owner)).unlink(missing_ok=True)
            try:
                folder.rmdir()
            except OSError:
                continue  # others refer to it


def owners(volume: Volume, folder: str) -> set[str]:
    try:
        return {path.name for path in (volume.references / folder).iterdir()}
    except FileNotFoundError:
        return set()


def sweep(volume: Volume, times: LockTimes, never: Collection[str]) -> list[str]:
    """Deletes what nobody refers to, and tells which folders went. Only what Stoker published is looked at."""
    gone = []
    with writing(volume.root):
        for folder in sorted(volume.root.iterdir()):
            name = folder.name
            if name.startswith(".") or name in never or folder.is_symlink() or owners(volume, name):
                continue
            if read_manifest(folder) is not None and _removed(volume, name, times):
                gone.append(name)
        for partial in sorted(volume.partials.iterdir()):
            name = partial.name.rpartition(".")[0]
            if name not in never and not owners(volume, name):
                # Whoever still fetches it finds that its folder is gone, and ends.
                volume.discard(partial)
        volume.empty_trash()
    return gone


def _removed(volume: Volume, folder: str, times: LockTimes) -> bool:
    lock = Lock(volume, folder, times)
    if not lock.try_acquire():
        return False  # in use at this moment; the next sweep finds it
    try:
        return _renamed_away(volume, folder)
    finally:
        lock.release()


def _renamed_away(volume: Volume, folder: str) -> bool:
    away = volume.trash / f"{folder[:100]}.{uuid.uuid4().hex}"
    published = volume.published(folder)
    if owners(volume, folder):
        return False
    published.rename(away)
    if owners(volume, folder):
        away.rename(published)
        return False
    _delete(away)
    return True


def _delete(away: Path) -> None:
    shutil.rmtree(away, ignore_errors=True)
