"""pvc://: a folder or a file on a mounted claim, used where it is."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Request
from stoker_runtime.fetch.sources.listing import check_length, check_unchanged, fingerprint, labelled

_PART = re.compile(r"(?P<stem>.*)-\d{5}-of-(?P<count>\d{5}\..*)")


class ClaimSource:
    """One folder, or one file of it with its other parts. Nothing is copied: `request` names the file."""

    def __init__(self, claim: str, path: str | None, label: str | None, mounted: Path) -> None:
        self._label = label
        self._mounted = mounted.resolve()
        self._folder, self._name = self._mounted / (path or "").strip("/"), ""
        if self._folder.is_file():
            self._folder, self._name = self._folder.parent, self._folder.name
        self._place = f"pvc://{claim}/{path or ''}".rstrip("/")

    def resolve(self) -> str:
        if self._label is not None:
            # Named by the user, who changes the label with the content: the short hash keeps a/b and a-b apart.
            return labelled(self._label, fingerprint([(self._label,)]))
        return fingerprint(
            (path, (self._folder / path).stat().st_size, (self._folder / path).stat().st_mtime_ns)
            for path in self._paths()
        )

    def files(self, revision: str) -> Sequence[RemoteFile]:
        check_unchanged(self._place, revision, self.resolve())
        return tuple(RemoteFile(path, (self._folder / path).stat().st_size) for path in self._paths())

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - what is there is the revision
        return Request(self.where(file).as_uri())

    def where(self, file: RemoteFile) -> Path:
        """The file itself."""
        return self._folder / file.path

    def _paths(self) -> Sequence[str]:
        self._check_inside(self._folder)
        if not self._folder.is_dir():
            raise WeightsError(
                Reason.NOT_FOUND, f"{self._place} is no folder and no file: mend its path, or fill the claim first"
            )
        found: list[str] = []
        for path in self._walk():
            self._check_inside(path)
            if path.is_file():
                found.append(path.relative_to(self._folder).as_posix())
                check_length(self._place, len(found))
        if not found:
            raise WeightsError(Reason.NOT_FOUND, f"{self._place} is empty: mend its path, or fill the claim first")
        return sorted(found)

    def _walk(self) -> Iterator[Path]:
        if self._name:
            yield from self._parts()
            return
        for folder, folders, names in os.walk(self._folder, onerror=self._unreadable):
            for name in (*names, *folders):
                if name in names or (Path(folder) / name).is_symlink():
                    yield Path(folder) / name

    def _parts(self) -> Iterator[Path]:
        """STEM-00001-of-00003.gguf stands for all three."""
        named = _PART.fullmatch(self._name)
        if named is None:
            yield self._folder / self._name
            return
        for path in self._folder.iterdir():
            part = _PART.fullmatch(path.name)
            if part and part.groups() == named.groups():
                yield path

    def _check_inside(self, path: Path) -> None:
        """Links are followed within the claim: the hub's own cache is made of them. Never out of it."""
        try:
            inside = path.resolve(strict=True).is_relative_to(self._mounted)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise WeightsError(
                Reason.NOT_FOUND, f"{self._place} has {path.name!r}, which is absent or leads nowhere: mend the path"
            ) from error
        except (OSError, RuntimeError) as error:
            raise self._unreadable(error) from error
        if not inside:
            raise WeightsError(
                Reason.UNSAFE_SOURCE,
                f"{self._place} has the link {path.name!r}, which leads out of the claim: put the file itself there",
            )

    def _unreadable(self, error: Exception) -> WeightsError:
        raise WeightsError(
            Reason.UNREADABLE, f"{self._place} cannot be read ({error}): let the group of the pod read its files"
        ) from error
