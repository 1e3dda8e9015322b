"""How far a download is, from the last line of its job's log."""

import json
import logging

from stoker.core.names import TASK_CONTAINER
from stoker.core.plan.snapshot import Progress
from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.resources import Key

logger = logging.getLogger(__name__)

_LONGEST_LINE = 2000


async def last_progress(connection: Connection, pod: Key) -> Progress | None:
    """None where it has said nothing, or nothing that can be read: a plan needs no progress."""
    query = f"container={TASK_CONTAINER}&tailLines=1&limitBytes={_LONGEST_LINE}"
    try:
        text = await connection.text(f"{resources.PODS.path(pod, 'log')}?{query}")
    except ApiError as refused:
        # A pod that is only just starting has no log yet, but what is not allowed stays so.
        if refused.status == 403:
            logger.warning("the progress of %s: %s", pod, refused)
        return None
    except ApiUnreachableError:
        return None
    return progress_in(text.strip())


def progress_in(line: str) -> Progress | None:
    """A sentence for people, and the same as JSON."""
    sentence, brace, rest = line.partition("{")
    try:
        value = json.loads(brace + rest)
        return Progress(int(value["fetchedBytes"]), int(value["totalBytes"]), sentence.strip())
    except (ValueError, KeyError, TypeError):
        return None
