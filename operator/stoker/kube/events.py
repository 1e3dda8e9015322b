"""Events for people, on the ModelDeployment that they are about. One that gets lost is no harm."""

import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stoker.core.plan.actions import Note
from stoker.core.timestamp import timestamp
from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE = 1024


async def post_event(connection: Connection, about: Mapping[str, Any], note: Note, reporter: str) -> None:
    metadata = about["metadata"]
    now = timestamp(datetime.now(UTC))
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(8)}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "type": "Warning" if note.warning else "Normal",
        "reason": str(note.reason),
        "message": note.message[:_LONGEST_MESSAGE],
        "source": {"component": "stoker"},
        "reportingComponent": "stoker.dev/operator",
        "reportingInstance": reporter,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    try:
        await connection.post(resources.EVENTS.collection(metadata["namespace"]), event)
    except (ApiError, ApiUnreachableError) as failed:
        logger.warning("event %s on %s/%s: %s", note.reason, metadata["namespace"], metadata["name"], failed)
