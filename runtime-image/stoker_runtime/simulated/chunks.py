"""The bytes of answers: server-sent events, and whole bodies, with the fields that vLLM sends."""

import json
import os
from dataclasses import dataclass

from stoker_runtime.simulated.api_requests import Generate, Json
from stoker_runtime.simulated.words import Answer, text_of

DONE = b"data: [DONE]\n\n"


def random_id() -> str:
    """Unlike the text, never the same twice: clients meet answers of many replicas."""
    return os.urandom(16).hex()


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def usage_of(prompt_tokens: int, generated: int) -> Json:
    return {
        "prompt_tokens": prompt_tokens,
        "total_tokens": prompt_tokens + generated,
        "completion_tokens": generated,
        "prompt_tokens_details": None,
    }


@dataclass(frozen=True)
class Envelope:
    """What all chunks of an answer have in common."""

    id: str
    created: int
    model: str
    chat: bool

    def chunk(self, choices: list[Json], usage: Json | None) -> bytes:
        with_usage = {"usage": usage} if usage is not None else {}
        return f"data: {compact({**self._head('.chunk'), 'choices': choices, **with_usage})}\n\n".encode()

    def body(self, choices: list[Json], usage: Json) -> Json:
        return {**self._head(""), "choices": choices, "usage": usage}

    def _head(self, suffix: str) -> Json:
        kind = f"chat.completion{suffix}" if self.chat else "text_completion"
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def envelope(request: Generate, model: str, created: int) -> Envelope:
    prefix = "chatcmpl" if request.chat else "cmpl"
    return Envelope(f"{prefix}-{random_id()}", created, model, request.chat)


def choice(request: Generate, index: int, answer: Answer, generated: int, reason: str) -> Json:
    """One answer, whole."""
    text = text_of(answer, generated)
    stop_reason = answer.stop_reason if reason == "stop" else None
    end: Json = {"logprobs": None, "finish_reason": _told(request, reason), "stop_reason": stop_reason}
    if not request.chat:
        return {"index": index, "text": text, **end}
    message: Json = {"role": "assistant", "content": text}
    if request.tool_call:
        function = {"name": request.tool_call.name, "arguments": text}
        message |= {"content": None, "tool_calls": [{"id": _call_id(), "type": "function", "function": function}]}
    return {"index": index, "message": message, **end}


class ChoiceStream:
    """One answer in chunks. What stays the same in them is made once: this runs for every token of every stream."""

    def __init__(self, envelope: Envelope, request: Generate, index: int, prompt_tokens: int) -> None:
        self._envelope = envelope
        self._request = request
        self._index = index
        self._prompt_tokens = prompt_tokens
        mark = "\0"
        whole = envelope.chunk([self._choice(self._delta(mark), None)], None).decode()
        self._before, self._after = whole.split(compact(mark))

    def opening(self) -> bytes:
        """Comes with the first token. Completions have none."""
        if not self._request.chat:
            return b""
        deltas: list[Json] = [{"role": "assistant", "content": ""}]
        if self._request.tool_call:
            function = {"name": self._request.tool_call.name, "arguments": ""}
            call = {"index": 0, "id": _call_id(), "type": "function", "function": function}
            deltas.append({"tool_calls": [call]})
        usage = self._usage(0)
        return b"".join(self._envelope.chunk([self._choice({"delta": delta}, None)], usage) for delta in deltas)

    def piece(self, piece: str, generated: int) -> bytes:
        usage = self._usage(generated)
        if usage is not None:
            return self._envelope.chunk([self._choice(self._delta(piece), None)], usage)
        return f"{self._before}{compact(piece)}{self._after}".encode()

    def closing(self, piece: str, generated: int, reason: str, stop_reason: str | None) -> bytes:
        end = self._choice(self._delta(piece), _told(self._request, reason))
        end["stop_reason"] = stop_reason if reason == "stop" else None
        return self._envelope.chunk([end], self._usage(generated))

    def _choice(self, delta: Json, reason: str | None) -> Json:
        return {"index": self._index, **delta, "logprobs": None, "finish_reason": reason}

    def _delta(self, piece: str) -> Json:
        if not self._request.chat:
            return {"text": piece}
        if self._request.tool_call:
            return {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}}
        return {"delta": {"content": piece}}

    def _usage(self, generated: int) -> Json | None:
        return usage_of(self._prompt_tokens, generated) if self._request.usage_in_each_chunk else None


def _call_id() -> str:
    return f"chatcmpl-tool-{random_id()}"


def _told(request: Generate, reason: str) -> str:
    return "tool_calls" if request.tool_call and reason == "stop" else reason
