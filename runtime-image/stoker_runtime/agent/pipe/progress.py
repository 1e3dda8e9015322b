"""How far the answer to one request is: its first byte, its chunks, the time between them, what it says it used."""

import re

from stoker_runtime.agent.framing.bodies import Span
from stoker_runtime.agent.tally import Outcome, Tally, Usage

_KEPT_BYTES = 1536  # the end of an answer, where its usage is
_OUTPUT_TOKENS = re.compile(
    rb'"(?:completion_tokens|output_tokens|eval_count|tokens_predicted|generated_tokens)"\s*:\s*([0-9]{1,12})'
)
_PROMPT_TOKENS = re.compile(rb'"(?:prompt_tokens|input_tokens|prompt_eval_count|tokens_evaluated)"\s*:\s*([0-9]{1,12})')
_LAST_EVENT = b"[DONE]"  # carries nothing
# What a chunk of a stream looks like. No string in JSON holds a line end, so neither can be part of an answer's text.
_SEPARATORS = {b"text/event-stream": b"\ndata:", b"application/x-ndjson": b"\n", b"application/jsonl": b"\n"}


def usage_in(text: bytes | bytearray) -> Usage | None:
    """The last one said, as OpenAI, Anthropic, Ollama, llama.cpp and TGI word it."""
    output, prompt = _OUTPUT_TOKENS.findall(text), _PROMPT_TOKENS.findall(text)
    if not output and not prompt:
        return None
    return Usage(int(prompt[-1]) if prompt else None, int(output[-1]) if output else None)


class Progress:
    """Of a request that counts. Times are on the monotonic clock."""

    __slots__ = (
        "_answered",
        "_asked_bytes",
        "_began",
        "_chunks",
        "_edge",
        "_failed",
        "_last",
        "_separator",
        "_tail",
        "_tally",
    )

    def __init__(self, tally: Tally, now_seconds: float) -> None:
        tally.begin()
        self._tally = tally
        self._began = now_seconds
        self._last = 0.0
        self._answered = False
        self._asked_bytes = 0
        self._chunks = 0
        self._separator: bytes | None = None
        self._edge = b"\n"  # the end of what came, as long as a separator without its last byte; a stream begins a line
        self._tail = bytearray()
        self._failed: Outcome | None = None

    def asked(self, size_bytes: int) -> None:
        """A piece of the request's body: the longer a prompt, the longer the engine may be silent about it."""
        if not self._answered:
            self._asked_bytes += size_bytes
            self._tally.prompt_bytes += size_bytes

    def _no_longer_waits(self) -> None:
        self._tally.prompt_bytes -= self._asked_bytes
        self._asked_bytes = 0

    def head(self, status: int, content_type: bytes) -> None:
        self._separator = _SEPARATORS.get(content_type)
        if status >= 500:
            self._failed = Outcome.ENGINE_FAILED
        elif status >= 400:
            self._failed = Outcome.REJECTED

    def content(self, data: bytes, spans: list[Span], now_seconds: float) -> None:
        """A piece of the body; `spans` is not empty."""
        tally = self._tally
        tally.last_progress_seconds = now_seconds
        if not self._answered:
            self._answered = True
            self._no_longer_waits()
            tally.answering()
        if self._failed is not None:
            return
        chunks = 0
        for start, end in spans:
            if self._separator is not None:
                chunks += self._chunks_in(data, start, end)
            self._keep(data, start, end)
        if self._separator is None:
            chunks = 0 if self._chunks else 1
        if chunks:
            self._passed(chunks, now_seconds)

    def end(self, outcome: Outcome) -> None:
        """Once, whatever happened."""
        tally = self._tally
        self._no_longer_waits()
        if self._answered and self._failed is None:
            usage = usage_in(self._tail)
            if usage is not None:
                tally.add_usage(usage)
            elif self._separator is not None:
                tally.add_chunks(self._chunks, whole=outcome is Outcome.FINISHED)
        if outcome is Outcome.FINISHED and self._failed is not None:
            outcome = self._failed
        tally.end(outcome, answered=self._answered)

    def _chunks_in(self, data: bytes, start: int, end: int) -> int:
        separator = self._separator or b""
        rest = len(separator) - 1
        if not rest:
            return data.count(separator, start, end)
        # The edge is one byte too short for a whole separator, so none is counted twice.
        seam = self._edge + data[start : min(end, start + rest)]
        found = data.count(separator, start, end) + seam.count(separator)
        self._edge = data[end - rest : end] if end - start >= rest else seam[-rest:]
        if found and data.find(_LAST_EVENT, start, end) >= 0 and data[start:end].rstrip().endswith(b"data: [DONE]"):
            found -= 1
        return found

    def _passed(self, chunks: int, now_seconds: float) -> None:
        tally = self._tally
        if self._chunks == 0:
            waited_seconds = now_seconds - self._began
            tally.ttft.observe(waited_seconds)
            if self._separator is not None:  # an answer in one piece comes when all of it is there
                tally.last_wait_seconds, tally.last_began_seconds = waited_seconds, now_seconds
            chunks -= 1
            self._chunks = 1
            if not chunks:
                self._last = now_seconds
                return
        # Chunks that come at once share the time that they took.
        tally.itl.observe((now_seconds - (self._last or now_seconds)) / chunks, chunks)
        self._chunks += chunks
        self._last = now_seconds

    def _keep(self, data: bytes, start: int, end: int) -> None:
        tail = self._tail
        if end - start >= _KEPT_BYTES:
            self._tail = bytearray(data[end - _KEPT_BYTES : end])
            return
        tail += data[start:end]
        if len(tail) > 2 * _KEPT_BYTES:
            del tail[:-_KEPT_BYTES]
