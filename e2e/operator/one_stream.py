"""One stream to its last token, as the official client reads it: `python -m e2e.operator.one_stream URL MODEL TOKENS`.

Prints a line when the first token has come, and a line of JSON after the last. vLLM says with each piece which tokens
are in it, so a piece that is lost is missed. Runs inside the cluster's network.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import openai

BEGAN = "began"
# Without a token for so long the client gives up.
SILENT_SECONDS = 60.0


@dataclass(frozen=True)
class Piece:
    came_seconds: float
    tokens: int


@dataclass(frozen=True)
class Streamed:
    """What came of one request. Times are between pieces."""

    ordered_tokens: int
    tokens: int  # counted in the pieces
    said_tokens: int  # by the engine at the end
    pieces: int
    finish_reason: str
    seconds: float  # from the first piece to the last
    seconds_per_token: float
    longest_silence_seconds: float
    longest_silence_at_seconds: float  # since the first piece


def streamed(ordered_tokens: int, said_tokens: int, finish_reason: str, pieces: list[Piece]) -> Streamed:
    silences = [(after.came_seconds - before.came_seconds, before) for before, after in pairwise(pieces)]
    longest, since = max(silences, key=lambda each: each[0])
    first, last = pieces[0].came_seconds, pieces[-1].came_seconds
    return Streamed(
        ordered_tokens=ordered_tokens,
        tokens=sum(piece.tokens for piece in pieces),
        said_tokens=said_tokens,
        pieces=len(pieces),
        finish_reason=finish_reason,
        seconds=last - first,
        # Not the median: on a busy machine most pieces come at once, and then none for a while.
        seconds_per_token=(last - first) / sum(piece.tokens for piece in pieces[1:]),
        longest_silence_seconds=longest,
        longest_silence_at_seconds=since.came_seconds - first,
    )


async def read(client: openai.AsyncOpenAI, model: str, ordered_tokens: int) -> Streamed:
    stream = await client.completions.create(
        model=model,
        prompt="Once",
        max_tokens=ordered_tokens,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"ignore_eos": True, "return_token_ids": True},
    )
    pieces, said_tokens, finish_reason = list[Piece](), 0, ""
    async for chunk in stream:
        if chunk.usage:
            said_tokens = chunk.usage.completion_tokens
        for choice in chunk.choices:
            if not pieces:
                print(BEGAN, flush=True)
            # The client's types know neither vLLM's field nor that there is no reason until the end.
            said: dict[str, Any] = choice.to_dict()
            pieces.append(Piece(time.monotonic(), len(said["token_ids"])))
            finish_reason = said.get("finish_reason") or finish_reason
    return streamed(ordered_tokens, said_tokens, finish_reason, pieces)


async def main(url: str, model: str, ordered_tokens: int) -> None:
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=SILENT_SECONDS) as client:
        print(json.dumps(asdict(await read(client, model, ordered_tokens))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
