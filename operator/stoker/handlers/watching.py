"""kopf watches the ModelDeployments and does nothing else: each event is kept and its key enqueued.

kopf's own create/update/resume handlers would write to every object; `on.event` writes nothing. A watch of kopf's may
die without a sign, and what was deleted while it was blind is never told. So a sweep compares names and versions with
the API server once a minute, mends what is missing, and tells when the watch keeps lagging behind.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import kopf
from kubernetes.aio.client import Configuration as Credentials

from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.models import Models
from stoker.kube.resources import Key

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0
# Events within this time of each other are one look.
BATCH_SECONDS = 0.02
_MOST_LAGGING_SWEEPS = 3


def registry_for(
    models: Models, enqueue: Callable[[Key], None], credentials: Callable[[], Awaitable[Credentials]]
) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_info(await credentials())

    @kopf.on.event("stoker.dev", "v1alpha1", "modeldeployments", registry=registry)
    async def seen(event: kopf.RawEvent, **_: Any) -> None:
        item: dict[str, Any] = dict(event["object"])
        key = Key(item["metadata"]["namespace"], item["metadata"]["name"])
        if event["type"] == "DELETED":
            models.remove(key)
            enqueue(key)
        elif models.put(item):
            enqueue(key)

    return registry


class NothingToCompare(kopf.DiffBaseStorage):
    """kopf copies every object to tell handlers what changed; there are none that ask."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        """Nothing is written to any object."""


def quiet_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.persistence.diffbase_storage = NothingToCompare()
    settings.posting.enabled = False
    settings.batching.batch_window = BATCH_SECONDS
    # The CRD is there before the operator is, and a namespace more needs no new watch.
    settings.scanning.disabled = True
    return settings


async def connection_info(credentials: Credentials) -> kopf.ConnectionInfo:
    token = (await credentials.auth_settings()).get("BearerToken")
    return kopf.ConnectionInfo(
        server=credentials.host,
        ca_path=credentials.ssl_ca_cert,
        ca_data=credentials.ca_cert_data,
        insecure=not credentials.verify_ssl,
        certificate_path=credentials.cert_file,
        private_key_path=credentials.key_file,
        # "Bearer " from a kubeconfig, "bearer " inside a cluster.
        token=token["value"].partition(" ")[2] if token and token["value"] else None,
        proxy_url=credentials.proxy,
    )


class Sweep:
    """Holds the local ModelDeployments against the API server's."""

    def __init__(
        self, connection: Connection, models: Models, namespaces: tuple[str, ...], enqueue: Callable[[Key], None]
    ) -> None:
        self._connection = connection
        self._models = models
        self._namespaces = namespaces or ("",)
        self._enqueue = enqueue
        self._lagging_sweeps = 0

    @property
    def watch_is_dead(self) -> bool:
        """Sweep after sweep found what the watch should have told."""
        return self._lagging_sweeps >= _MOST_LAGGING_SWEEPS

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                for namespace in self._namespaces:
                    await self.once(namespace)
            except (ApiError, ApiUnreachableError) as failed:
                logger.warning("comparing ModelDeployments: %s", failed)

    async def once(self, namespace: str) -> None:
        listed, version = await self._connection.versions(resources.MODEL_DEPLOYMENTS.collection(namespace))
        found = {Key(*name): at for name, at in listed.items()}
        missed = [key for key, at in found.items() if self._models.version(key) < at]
        for key in missed:
            self._models.put(await self._connection.get(resources.MODEL_DEPLOYMENTS.path(key)))
            self._enqueue(key)
        ghosts = [
            key
            for key in self._models
            if key not in found
            and namespace in ("", key.namespace)
            # One that is newer than the list was made after it.
            and self._models.version(key) <= version
        ]
        for key in ghosts:
            self._models.remove(key)
            self._enqueue(key)
        if missed or ghosts:
            logger.warning("the watch did not tell of %d changes and %d deletions", len(missed), len(ghosts))
        self._lagging_sweeps = self._lagging_sweeps + 1 if missed or ghosts else 0
