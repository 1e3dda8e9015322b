"""Makes a partial folder a published one, in one step that either happened or did not."""

import errno
import os
from pathlib import Path

from stoker_runtime.fetch import journal, manifest
from stoker_runtime.fetch.lock import LostLock
from stoker_runtime.fetch.volume import Volume, sync_folder, writing


def publish(volume: Volume, partial: Path, folder: str, what: manifest.Manifest) -> None:
    """Raises LostLock when the partial folder was taken over: the rename then finds nothing."""
    target = volume.published(folder)
    kept = {file.path for file in what.files} | {manifest.NAME, journal.NAME}
    with writing(target):
        try:
            _remove_all_but(partial, kept)
            manifest.write_manifest(partial, what)
            _sync(partial)
            partial.rename(target)
        except FileNotFoundError as error:
            raise LostLock(f"{partial.name} was taken over by another job") from error
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise LostLock(f"{target.name} was published by another job") from error
            raise
        sync_folder(volume.root)
        forget_journal(target)


def forget_journal(published: Path) -> None:
    """After the rename, so that a crash before it loses nothing."""
    (published / journal.NAME).unlink(missing_ok=True)


def _remove_all_but(partial: Path, kept: set[str]) -> None:
    """What an earlier run fetched under another selection."""
    for path in sorted(partial.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(partial).as_posix() not in kept:
            path.unlink()


def _sync(partial: Path) -> None:
    for path in sorted(partial.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
        else:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    sync_folder(partial)
