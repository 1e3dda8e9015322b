"""A local picture of one kind of object, kept true by LIST and WATCH.

Each object is projected to what Stoker needs of it, and the rest is forgotten at once. What the picture promises:

- `synced` is false until the first whole LIST, so that nobody takes an empty picture for an empty cluster;
- an object that was deleted while the watch was broken is noticed at the next LIST and reported like any deletion;
- the watch goes on from where it was, by resource version; the API server's bookmarks keep that version fresh, so that
  a broken stream costs no LIST;
- a stream that says nothing, not even a bookmark, for `silent_seconds` counts as broken: a half-open connection looks
  just like a quiet cluster. One that the server ends in order does not;
- what this process wrote itself is in the picture at once (`absorb`), so that no decision is made from the time before
it;
- `silence_seconds()` tells since when nothing has been heard, for the liveness probe.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from stoker.kube.backoff import Backoff
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.resources import Key, Resource

logger = logging.getLogger(__name__)

T = TypeVar("T")
# The server sends a bookmark about once a minute.
SILENT_SECONDS = 150.0
WATCH_SECONDS = (240, 300)
# Of a kind that the server keeps no cache of, such as Events: it sends no bookmarks, so a quiet watch has to end before
# it counts as broken.
WATCH_WITHOUT_BOOKMARKS_SECONDS = (90, 120)
SHORTEST_WATCH_SECONDS = 1.0
# No right to read, or no such kind. It is asked for again all the same, as either may be given later.
_NEVER = (403, 404)


@dataclass(frozen=True)
class Scope:
    """Which objects of the kind are of interest."""

    resource: Resource
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""

    def query(self) -> dict[str, str]:
        selectors = {"labelSelector": self.label_selector, "fieldSelector": self.field_selector}
        return {name: selector for name, selector in selectors.items() if selector}


@dataclass
class Reflector(Generic[T]):
    """Runs until it is cancelled. `changed` is told the key and what it held before and now; None means absent.
    `project` answers None to an object that is of no interest."""

    connection: Connection
    scope: Scope
    project: Callable[[Mapping[str, Any]], T | None]
    changed: Callable[[Key, T | None, T | None], None]
    silent_seconds: float = SILENT_SECONDS
    backoff: Backoff = field(default_factory=Backoff)
    watch_seconds: tuple[int, int] = WATCH_SECONDS  # at least and at most: not all watches end at once

    _objects: dict[Key, T] = field(default_factory=dict, init=False)
    _version: str | None = field(default=None, init=False)
    _absorbed: dict[Key, int] = field(default_factory=dict, init=False)
    _synced: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _answered: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _heard_at: float = field(default=float("-inf"), init=False)

    def get(self, key: Key) -> T | None:
        return self._objects.get(key)

    def items(self) -> Iterator[tuple[Key, T]]:
        return iter(self._objects.items())

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def synced(self) -> bool:
        return self._synced.is_set()

    async def wait_until_synced(self) -> None:
        await self._synced.wait()

    async def wait_until_answered(self) -> None:
        """Until the picture is whole, or it is certain that the server will not show it: what may not be read is known
        from what was not read yet."""
        await self._answered.wait()

    def absorb(self, item: Mapping[str, Any]) -> None:
        """Takes the API server's answer to a write. What the watch has told already, or has gone past, is left to
        it."""
        version = int(item["metadata"]["resourceVersion"])
        key = _key_of(item)
        if self._version is None or version <= max(int(self._version), self._absorbed.get(key, 0)):
            return
        self._absorbed[key] = version
        self._put(key, item)

    def silence_seconds(self) -> float:
        """Infinite before the server has answered for the first time."""
        return asyncio.get_running_loop().time() - self._heard_at

    async def run(self) -> None:
        while True:
            try:
                if self._version is None:
                    await self._list()
                await self._watch_for_a_while()
            except ApiError as refused:
                await self._after_refusal(refused)
            except ApiUnreachableError as unreachable:
                await self._pause(str(unreachable), None)

    async def _after_refusal(self, refused: ApiError) -> None:
        if refused.gone and self._version is not None:
            # The picture stays as it is until the new LIST replaces it: old is better than empty.
            logger.info("%s: %s; listing anew", self.scope.resource.plural, refused)
            self._version = None
        else:
            if refused.status in _NEVER:
                self._answered.set()
            await self._pause(str(refused), refused.retry_after_seconds)

    async def _pause(self, why: str, least_seconds: float | None) -> None:
        seconds = max(self.backoff.next_seconds(), least_seconds or 0.0)
        logger.warning("%s: %s; again in %.1f s", self.scope.resource.plural, why, seconds)
        await asyncio.sleep(seconds)

    def _heard(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self.backoff.reset()

    async def _list(self) -> None:
        """A token that expires between pages makes the caller begin again."""
        listed: dict[Key, T] = {}
        path = self.scope.resource.collection(self.scope.namespace)
        version = await self.connection.each(path, lambda item: self._project_into(listed, item), self.scope.query())
        self._replace(listed)
        self._version = version
        self._heard()
        self._synced.set()
        self._answered.set()

    def _replace(self, listed: dict[Key, T]) -> None:
        before, self._objects = self._objects, listed
        self._absorbed.clear()
        for key, old in before.items():
            if key not in listed:
                self.changed(key, old, None)
        for key, new in listed.items():
            known = before.get(key)
            if known != new:
                self.changed(key, known, new)

    async def _watch_for_a_while(self) -> None:
        began = asyncio.get_running_loop().time()
        await self._watch()
        if asyncio.get_running_loop().time() - began < SHORTEST_WATCH_SECONDS:
            # The server ends a watch after minutes. What ends it at once would be asked again at once, for ever.
            await self._pause("the watch ended as soon as it began", None)
        else:
            self._heard()

    async def _watch(self) -> None:
        query = self.scope.query() | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version or "",
            "timeoutSeconds": str(random.randint(*self.watch_seconds)),  # noqa: S311 - spreads load, guards nothing
        }
        path = self.scope.resource.collection(self.scope.namespace)
        async with self.connection.stream(path, query, self.silent_seconds) as events:
            async for event in events:
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        kind, item = event.get("type"), event.get("object") or {}
        if kind == "ERROR":
            raise ApiError(int(item.get("code", 500)), str(item.get("reason", "")), str(item.get("message", "")))
        self._heard()
        version = str(item["metadata"]["resourceVersion"])
        if kind != "BOOKMARK":
            self._take_object(str(kind), item, int(version))
        self._version = version

    def _take_object(self, kind: str, item: Mapping[str, Any], version: int) -> None:
        key = _key_of(item)
        if kind == "DELETED":
            self._absorbed.pop(key, None)
            if (old := self._objects.pop(key, None)) is not None:
                self.changed(key, old, None)
        elif version >= self._absorbed.get(key, 0):
            # Anything older is from before a write of our own, whose outcome is known.
            self._absorbed.pop(key, None)
            self._put(key, item)

    def _put(self, key: Key, item: Mapping[str, Any]) -> None:
        old = self._objects.get(key)
        self._project_into(self._objects, item)
        new = self._objects.get(key)
        if old != new:
            self.changed(key, old, new)

    def _project_into(self, objects: dict[Key, T], item: Mapping[str, Any]) -> None:
        """One object that makes no sense must not hide the others, nor look as if it were deleted."""
        key = _key_of(item)
        try:
            projected = self.project(item)
            if projected is None:
                objects.pop(key, None)
            else:
                objects[key] = projected
        except (KeyError, TypeError, ValueError, AttributeError):
            logger.exception("%s %s: cannot be read; what was known of it stays", self.scope.resource.plural, key)
            if key in self._objects:
                objects[key] = self._objects[key]


def _key_of(item: Mapping[str, Any]) -> Key:
    metadata = item["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])
