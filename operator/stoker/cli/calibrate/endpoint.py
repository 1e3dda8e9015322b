"""One replica's completions for `stoker calibrate`. InputError says what it answered instead."""

import re
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from stoker.cli.input_error import InputError
from stoker.cli.openai.streaming import Outcome, Streamed, stream

_LONGEST_SECONDS = 120.0
_BLOCKS = re.compile(r"^vllm:cache_config_info\{(?P<labels>[^}]*)\}", re.MULTILINE)


@dataclass
class Endpoint:
    session: aiohttp.ClientSession
    base: str  # with /v1
    model: str
    ignores_end: bool = True

    async def kv_tokens(self) -> int | None:
        """Of vLLM's metrics; None where nobody says."""
        try:
            async with self.session.get(f"{self.base.removesuffix('/v1')}/metrics") as response:
                text = await response.text() if response.status == HTTPStatus.OK else ""
        except (aiohttp.ClientError, TimeoutError):
            return None
        return kv_tokens_of(text)

    async def complete(self, prompt: str, answer_tokens: int) -> Streamed:
        """An answer with at least one moment and counted prompt tokens, of as many tokens as the server allows."""
        address = f"{self.base}/completions"
        body = {"model": self.model, "prompt": prompt, "max_tokens": answer_tokens, "temperature": 0}
        answer = None
        if self.ignores_end:
            answer = await stream(self.session, address, body | {"ignore_eos": True}, _LONGEST_SECONDS)
            self.ignores_end = answer.status != HTTPStatus.BAD_REQUEST
        if answer is None or not self.ignores_end:
            answer = await stream(self.session, address, body, _LONGEST_SECONDS)
        if answer.outcome is not Outcome.FINISHED:
            raise InputError([f"{address}: no answer, {answer.trouble}"])
        if not answer.moments or answer.prompt_tokens is None:
            missing = "no token" if not answer.moments else "no `usage`, so nobody knows how long the prompt was"
            raise InputError([f"{address}: an answer had {missing}: measure a server that streams both"])
        return answer


def kv_tokens_of(metrics: str) -> int | None:
    """Blocks times their size, which vLLM says as labels."""
    found = _BLOCKS.search(metrics)
    if found is None:
        return None
    labels = dict(re.findall(r'(\w+)="([^"]*)"', found["labels"]))
    try:
        tokens = int(labels["num_gpu_blocks"]) * int(labels["block_size"])
    except (KeyError, ValueError):
        return None
    return tokens if tokens > 0 else None
