"""What s3://, gs:// and az:// have in common: a prefix is listed, and the list is both the revision and the files."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.sources.listing import check_unchanged, fingerprint, labelled
from stoker_runtime.fetch.sources.prefix import Place, nothing_below, under_or_at

Item = TypeVar("Item")


class ListedPrefix(ABC, Generic[Item]):
    """A prefix, or one object where the prefix is its whole name."""

    def __init__(self, place: Place, scheme: str) -> None:
        self._prefix, self._label = place.prefix, place.label
        self._place = place.shown(scheme)
        self._listed: Sequence[Item] | None = None

    def resolve(self) -> str:
        self._listed = self._list()
        return self._revision_of(self._listed)

    def files(self, revision: str) -> Sequence[RemoteFile]:
        """What was listed to resolve the revision serves once more; any later look lists anew."""
        items, self._listed = self._listed or self._list(), None
        check_unchanged(self._place, revision, self._revision_of(items))
        return tuple(self._file(item) for item in items)

    def _list(self) -> Sequence[Item]:
        items = under_or_at(self._prefix, self._below, self._name)
        if not items:
            raise nothing_below(self._place)
        return items

    def _revision_of(self, items: Sequence[Item]) -> str:
        return labelled(self._label, fingerprint(map(self._identity, items)))

    @abstractmethod
    def _below(self, prefix: str) -> Iterator[Item]:
        """Every object whose name begins so, page by page."""

    @abstractmethod
    def _name(self, item: Item) -> str:
        """The object's whole name."""

    @abstractmethod
    def _identity(self, item: Item) -> tuple[object, ...]:
        """What changes when the object does."""

    @abstractmethod
    def _file(self, item: Item) -> RemoteFile:
        """The object as a file below the prefix."""
