"""Objects in a bucket: their name with the version that was listed, and their path below a prefix."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from stoker_runtime.failure import Reason, WeightsError

_Listed = TypeVar("_Listed")


@dataclass(frozen=True)
class Place:
    """A bucket or a container, and what is meant in it. An empty prefix means all of it."""

    container: str
    prefix: str = ""
    label: str | None = None

    def shown(self, scheme: str) -> str:
        root = scheme if "://" in scheme else f"{scheme}:/"
        return f"{root}/{self.container}/{self.prefix}".rstrip("/")


@dataclass(frozen=True)
class PinnedName:
    """What `RemoteFile.key` holds, so that parts of two versions are never put together."""

    name: str
    version: str  # an ETag or a generation; empty: the source gives none

    @classmethod
    def read(cls, key: str) -> Self:
        version, _, name = key.partition(" ")
        return cls(name, version)

    def __str__(self) -> str:
        return f"{self.version.replace(' ', '')} {self.name}"


def path_below(prefix: str, name: str) -> str:
    """Where an object lies in the published folder. One that is the prefix itself keeps its last part."""
    return name.rpartition("/")[2] if name == prefix else name.removeprefix(f"{prefix}/" if prefix else "")


def under_or_at(
    prefix: str, listing: Callable[[str], Iterable[_Listed]], name_of: Callable[[_Listed], str]
) -> Sequence[_Listed]:
    """What lies below a prefix as below a folder; else the one object that the prefix names."""
    below = tuple(listing(f"{prefix}/" if prefix else ""))
    if below or not prefix:
        return below
    # Names come in order, so the object is the first, or not there.
    first = next(iter(listing(prefix)), None)
    return (first,) if first is not None and name_of(first) == prefix else ()


def nothing_below(place: str) -> WeightsError:
    return WeightsError(Reason.NOT_FOUND, f"nothing lies below {place}: upload the model there, or mend the prefix")
