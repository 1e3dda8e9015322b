"""Prompts that the engine answers before it is ready, so that no user pays for its first compilation."""

import asyncio
import json
from collections.abc import Sequence

from stoker_runtime.agent.engine.loopback import (
    EngineAnswer,
    EngineGoneError,
    EngineLateError,
    EngineNonsenseError,
    ask,
)
from stoker_runtime.agent.pipe.upstream import Upstream

MOST_SECONDS = 180.0
_TOKENS = 16


async def complete(engine: Upstream, model: str, prompt: str, max_tokens: int, timeout_seconds: float) -> EngineAnswer:
    """Raises as `ask` does."""
    body = json.dumps({"model": model, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0}).encode()
    return await ask(engine, "POST", "/v1/completions", timeout_seconds, body)


async def warm_up(engine: Upstream, model: str, prompts: Sequence[str], most_seconds: float) -> str | None:
    """What went wrong, in a sentence; None: nothing. It ends in time whatever the engine does."""
    deadline = asyncio.get_running_loop().time() + most_seconds
    for number, prompt in enumerate(prompts, start=1):
        left_seconds = deadline - asyncio.get_running_loop().time()
        which = f"warm-up prompt {number} of {len(prompts)}"
        if left_seconds <= 0:
            return f"{which} was not asked: the {most_seconds:g} s for all of them are over."
        try:
            answer = await complete(engine, model, prompt, _TOKENS, left_seconds)
        except (EngineGoneError, EngineLateError, EngineNonsenseError) as error:
            return f"{which} failed: {error}."
        if not answer.is_good:
            return f"{which} failed: /v1/completions answered {answer}."
    return None
