"""The message that stays in the pod's status when the container has ended."""

import json
from collections.abc import Sequence
from pathlib import Path

from stoker_runtime.agent.verdict import Verdict, without_colours

MOST_BYTES = 4000  # Kubernetes keeps 4096
_MOST_LINES, _MOST_LINE = 12, 400
_MOST_SENTENCE = 1500


def termination_message(verdict: Verdict, last_lines: Sequence[str]) -> str:
    """JSON with as many of the last lines as fit."""
    sentence = without_colours(verdict.sentence)[:_MOST_SENTENCE]
    lines = [without_colours(line)[:_MOST_LINE] for line in last_lines[-_MOST_LINES:]]
    while len(text := _told(verdict, sentence, lines)) > MOST_BYTES:
        if lines:
            lines = lines[1:]
        else:
            sentence = sentence[: len(sentence) // 2]
    return text.decode()


def _told(verdict: Verdict, sentence: str, lines: Sequence[str]) -> bytes:
    code = verdict.code
    told = {"ok": False, "reason": code.reason, "code": int(code), "message": sentence, "lines": lines}
    return json.dumps(told, ensure_ascii=False).encode(errors="replace")


def write_termination_message(path: Path, text: str) -> None:
    """In place, since it is a mounted file; where it is not writable the log has the same."""
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        print(f"agent: {path} is not written: {error.strerror}", flush=True)
