"""What agents answer to GET /load."""

import json
from typing import Any

USUAL: dict[str, Any] = {
    "v": 1,
    "boot": "0badcafe",
    "age_s": 600.0,
    "phase": "ready",
    "gate": "open",
    "asleep": False,
    "in_flight": 3,
    "waiting": 1,
    "running": 2,
    "queued": 1,
    "kv": 0.25,
    "preemptions": 0,
    "arrivals": 100,
    "finished": 90,
    "failed": 1,
    "refused": 0,
    "prompt_tokens": 5000,
    "output_tokens": 2000,
    "counted": "usage",
    "ttft": [99, 20.5],
    "itl": [1900, 38.25],
    "engine_age_s": 0.4,
}


def body(**said: Any) -> bytes:
    return json.dumps(USUAL | said).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in USUAL.items() if key != name}).encode()


def http(content: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(content)}\r\n{headers}\r\n".encode() + content


def load(**said: Any) -> bytes:
    """The whole answer of an agent."""
    return http(body(**said))


def idle(**said: Any) -> bytes:
    return load(**{"in_flight": 0, "waiting": 0} | said)
