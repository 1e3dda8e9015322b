"""One request, from the connection to the last event of its stream."""

import asyncio
import json
from typing import Any

import aiohttp

from e2e.load.outcome import Answered, Outcome

LONGEST_SECONDS = 120.0
_BUSY = (429, 503)


def connector(*, pooled: bool) -> aiohttp.TCPConnector:
    """Fresh: a connection for each request, as many clients have; pooled: kept and used again, as servers do."""
    return aiohttp.TCPConnector(limit=0, force_close=not pooled, keepalive_timeout=60.0 if pooled else None)


def chat(model: str, prompt_tokens: int, output_tokens: int, *, openai_alone: bool = False) -> dict[str, Any]:
    """Some engines refuse a field that OpenAI's API does not have; they end where the model ends."""
    return {
        "model": model,
        "stream": True,
        "max_tokens": output_tokens,
        "messages": [{"role": "user", "content": "word " * prompt_tokens}],
    } | ({} if openai_alone else {"ignore_eos": True})


async def ask(
    session: aiohttp.ClientSession, url: str, body: dict[str, Any], sent_at_seconds: float, longest: float
) -> Answered:
    loop = asyncio.get_running_loop()
    began = loop.time()
    first: float | None = None
    server, at_the_end = "", Outcome.CUT

    def answered(outcome: Outcome, detail: str = "") -> Answered:
        return Answered(sent_at_seconds, outcome, first, loop.time() - began, server, detail)

    try:
        async with asyncio.timeout(longest), session.post(url, json=body) as response:
            server = response.headers.get("X-Replica", "")
            if response.status != 200:
                text = (await response.text())[:200]
                return answered(Outcome.REFUSED if response.status in _BUSY else Outcome.FAILED, text)
            async for line in response.content:
                if line.startswith(b"data: [DONE]"):
                    return answered(Outcome.FINISHED)
                if line.startswith(b"data: "):
                    first = first if first is not None else loop.time() - began
                    if (event := json.loads(line[6:])).get("error"):
                        return answered(Outcome.FAILED, str(event["error"])[:200])
                    if "ignore_eos" not in body and any(each.get("finish_reason") for each in event.get("choices", ())):
                        at_the_end = Outcome.FINISHED
            return answered(at_the_end, "the stream ended without [DONE]" if at_the_end is Outcome.CUT else "")
    except TimeoutError:
        return answered(Outcome.TIMED_OUT)
    except (aiohttp.ClientError, OSError) as failed:
        outcome = Outcome.UNREACHABLE if first is None and not server else Outcome.CUT
        return answered(outcome, f"{type(failed).__name__}: {failed}"[:200])
