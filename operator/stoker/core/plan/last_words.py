"""What a replica's agent tells when it ends, as it stands in the pod's status: a verdict, and the engine's last lines.

Whatever else may stand there, a log's tail or half a message, is no such verdict and is quoted as it is.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class LastWords:
    reason: str  # one of the agent's own: GPUMemory, EngineStalled
    sentence: str
    lines: tuple[str, ...]


def last_words(message: str) -> LastWords | None:
    try:
        told = json.loads(message)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("ok") is not False:
        return None
    reason, sentence, lines = told.get("reason"), told.get("message"), told.get("lines")
    if not isinstance(reason, str) or not isinstance(sentence, str) or not isinstance(lines, list):
        return None
    return LastWords(reason, sentence, tuple(str(line) for line in lines))
