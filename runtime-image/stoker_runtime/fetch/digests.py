"""Digests of a file while it comes, and whether they are those that the source lists."""

import hashlib
from typing import Protocol

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


class Digests:
    """sha256, which the manifest holds, and whatever else the source says of the file."""

    def __init__(self, remote: RemoteFile, size_bytes: int | None) -> None:
        self._kinds: dict[str, _Hash] = {"sha256": hashlib.sha256()}
        self._expected = {"sha256": remote.sha256}
        if remote.md5:
            self._kinds["md5"] = hashlib.md5(usedforsecurity=False)
            self._expected["md5"] = remote.md5
        if remote.git_blob_sha1 and size_bytes is not None:
            self._kinds["git blob sha1"] = hashlib.sha1(f"blob {size_bytes}\0".encode(), usedforsecurity=False)
            self._expected["git blob sha1"] = remote.git_blob_sha1

    def update(self, data: memoryview) -> None:
        for kind in self._kinds.values():
            kind.update(data)

    @property
    def sha256(self) -> str:
        return self._kinds["sha256"].hexdigest()

    def mismatch(self, path: str) -> WeightsError | None:
        for name, expected in self._expected.items():
            found = self._kinds[name].hexdigest()
            if expected and found != expected.lower():
                return WeightsError(
                    Reason.DIGEST_MISMATCH,
                    f"{path} has the {name} {found}, and the source lists {expected.lower()}: "
                    "the content is damaged at the source or on the way, so nothing was published; "
                    "check the source, and any proxy or mirror before it",
                )
        return None


def is_verifiable(remote: RemoteFile) -> bool:
    return bool(remote.sha256 or remote.git_blob_sha1 or remote.md5)
