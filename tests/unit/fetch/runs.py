"""Runs of a whole fetch against a server on loopback."""

import hashlib
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stoker_runtime.fetch.fetching import Fetched, Fetching, Limits
from stoker_runtime.fetch.lock import LockTimes
from stoker_runtime.fetch.manifest import damage, read_manifest
from stoker_runtime.fetch.patience import Times
from stoker_runtime.fetch.source import RemoteFile, Request
from stoker_runtime.fetch.task import Task
from stoker_runtime.fetch.transfer import Settings
from stoker_runtime.fetch.volume import Volume
from stoker_runtime.fetch.web import HttpWeb

PART = 64 << 10
QUICK = Times(
    connect_seconds=2, stall_seconds=0.3, patience_seconds=5, first_wait_seconds=0.01, longest_wait_seconds=0.05
)
LIMITS = Limits(
    lock=LockTimes(beat_seconds=0.03, stale_seconds=0.4),
    transfer=Settings(connections=4, part_bytes=PART, buffer_bytes=16 << 10, checkpoint_seconds=0.05),
    busy_seconds=10,
    poll_seconds=0.02,
)


def content(size_bytes: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size_bytes)  # noqa: S311 - only to be different everywhere


def listed(path: str, data: bytes, **changes: Any) -> RemoteFile:
    return replace(RemoteFile(path, len(data), hashlib.sha256(data).hexdigest()), **changes)


@dataclass
class Place:
    """A source with one revision."""

    address: str
    listing: list[RemoteFile]
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def resolve(self) -> str:
        return "r1"

    def files(self, revision: str) -> Sequence[RemoteFile]:
        assert revision == "r1"
        return self.listing

    def request(self, revision: str, file: RemoteFile) -> Request:
        assert revision == "r1"
        return Request(f"{self.address}/{file.path}{self.query}", self.headers)


def fetch(root: Path, source: Place, **changes: Any) -> Fetched:
    run = fetching(root, source, **changes)
    try:
        return run.run()
    finally:
        run.close()


def fetching(
    root: Path,
    source: Place,
    *,
    times: Times = QUICK,
    limits: Limits = LIMITS,
    named: frozenset[str] = frozenset({"127.0.0.1"}),
    stop: threading.Event | None = None,
    **task: Any,
) -> Fetching:
    wanted = Task(**{"source": "https://models.example.com/m", "folder": "m-r1", "owner": "team-a.llama", **task})
    web = HttpWeb(named, times=times, environment={}, stop=stop)
    return Fetching(wanted, Volume(root), source, lambda files: files, web, limits)


def is_published(root: Path, files: dict[str, bytes], folder: str = "m-r1") -> bool:
    """Whole and verified, or absent: anything else is a failure of the test."""
    found = root / folder
    if not found.exists():
        return False
    manifest = read_manifest(found)
    assert manifest is not None
    assert damage(found, manifest, by_digest=True) is None
    assert {file.path for file in manifest.files} == set(files)
    for path, data in files.items():
        assert (found / path).read_bytes() == data
    return True
