"""The ModelDeployments as the API server last told them, compact until one is looked at."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stoker.kube.resources import Key


class _Stored(NamedTuple):
    version: int
    raw: bytes


class Models:
    """Newer replaces older, in whatever order they arrive."""

    def __init__(self) -> None:
        self._stored: dict[Key, _Stored] = {}

    def put(self, item: Mapping[str, Any]) -> bool:
        """Whether this was news."""
        metadata = item["metadata"]
        key, version = Key(metadata["namespace"], metadata["name"]), int(metadata["resourceVersion"])
        known = self._stored.get(key)
        if known is not None and known.version >= version:
            return False
        kept = {name: value for name, value in item.items() if name != "metadata"}
        kept["metadata"] = {name: value for name, value in metadata.items() if name != "managedFields"}
        # Of who wrote what, only what scalers did is of interest.
        if scalers := [each for each in metadata.get("managedFields") or () if each.get("subresource") == "scale"]:
            kept["metadata"]["managedFields"] = scalers
        self._stored[key] = _Stored(version, json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode())
        return True

    def remove(self, key: Key) -> None:
        self._stored.pop(key, None)

    def get(self, key: Key) -> dict[str, Any] | None:
        stored = self._stored.get(key)
        return json.loads(stored.raw) if stored else None

    def version(self, key: Key) -> int:
        stored = self._stored.get(key)
        return stored.version if stored else 0

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._stored))

    def __len__(self) -> int:
        return len(self._stored)
