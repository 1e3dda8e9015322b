"""Answers of the pipe's own, with OpenAI's error object."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from stoker_runtime.agent.framing.requests import RequestHead
from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.pipe.forbidden import is_forbidden

RETRY_AFTER_SECONDS = 1  # a new connection meets another replica
_KINDS = {
    400: "invalid_request_error",
    404: "not_found_error",
    408: "timeout_error",
    417: "invalid_request_error",
    431: "invalid_request_error",
    501: "invalid_request_error",
    502: "engine_error",
    503: "unavailable_error",
    504: "timeout_error",
    505: "invalid_request_error",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    sentence: str

    def to_client(self, *, with_body: bool = True) -> bytes:
        """Every refusal ends its connection: what follows on it was not meant for this answer."""
        error = {"message": self.sentence, "type": _KINDS[self.status], "param": None, "code": self.status}
        body = json.dumps({"error": error}, separators=(",", ":")).encode()
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        if self.status == 503:
            lines.append(f"Retry-After: {RETRY_AFTER_SECONDS}")
        return "\r\n".join([*lines, "", ""]).encode() + (body if with_body else b"")


REFUSING = Refusal(503, "this replica is leaving: send the request again on a new connection")


def refusal_of(head: RequestHead, gate: Gate, opened_seconds: float) -> Refusal | None:
    """Why a request does not get to the engine, or None."""
    if is_forbidden(head.target):
        path = head.target.partition(b"?")[0][:200].decode("ascii")
        return Refusal(404, f"{path} is not served on this port")
    if gate.refuses(opened_seconds):
        return REFUSING
    return None
