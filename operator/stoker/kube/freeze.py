"""Whether a person froze the fleet: a ConfigMap in the operator's namespace says so by being there."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from stoker.core.names import FREEZE_CONFIG_MAP, FREEZE_REASON
from stoker.kube import resources
from stoker.kube.connection import Connection
from stoker.kube.reflector import Reflector, Scope
from stoker.kube.resources import Key

logger = logging.getLogger(__name__)

FIRST_LOOK_SECONDS = 10.0


class Freeze:
    """Runs until it is cancelled. What cannot be read freezes nothing: a missing permission must not stop a fleet."""

    def __init__(self, connection: Connection, namespace: str, changed: Callable[[], None]) -> None:
        scope = Scope(resources.CONFIG_MAPS, namespace, field_selector=f"metadata.name={FREEZE_CONFIG_MAP}")
        self._changed = changed
        self._reflector = Reflector(connection, scope, reason_of, self._told)
        self._key = Key(namespace, FREEZE_CONFIG_MAP)

    @property
    def reason(self) -> str:
        """Empty: it is not frozen."""
        return self._reflector.get(self._key) or ""

    async def run(self) -> None:
        await self._reflector.run()

    async def wait_for_the_first_look(self) -> None:
        try:
            async with asyncio.timeout(FIRST_LOOK_SECONDS):
                await self._reflector.wait_until_synced()
        except TimeoutError:
            logger.warning("ConfigMap %s cannot be read: going on as if nothing was frozen", self._key)

    def _told(self, _key: Key, _before: str | None, after: str | None) -> None:
        logger.info("frozen: %s" if after else "not frozen any more%s", after or "")
        self._changed()


def reason_of(item: Mapping[str, Any]) -> str:
    said = (item.get("data") or {}).get(FREEZE_REASON, "")
    return " ".join(str(said).split())[:200] or "no reason given"
