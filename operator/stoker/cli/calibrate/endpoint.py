"""One replica's OpenAI endpoint: completions that are streamed, with the moment of each token."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

import aiohttp

_LONGEST_SECONDS = 120.0
_BLOCKS = re.compile(r"^vllm:cache_config_info\{(?P<labels>[^}]*)\}", re.MULTILINE)


class EndpointError(Exception):
    """A sentence that says what the endpoint answered and what to do."""


@dataclass(frozen=True)
class Streamed:
    """One answer. Moments are seconds of the loop's clock."""

    asked_at: float
    moments: tuple[float, ...]  # of each event with text
    prompt_tokens: int
    answer_tokens: int

    @property
    def first_token_seconds(self) -> float:
        return self.moments[0] - self.asked_at


@dataclass
class Endpoint:
    session: aiohttp.ClientSession
    url: str  # with /v1
    model: str = ""
    ignores_end: bool = True
    _remarks: list[str] = field(default_factory=list)

    async def first_model(self) -> str:
        try:
            async with self.session.get(f"{self.url}/models") as response:
                await _good(response)
                listed = await response.json(content_type=None)
            return str(listed["data"][0]["id"])
        except (aiohttp.ClientError, TimeoutError) as failed:
            raise EndpointError(f"cannot be reached ({failed}): give the address of a replica that runs") from failed
        except (ValueError, LookupError, TypeError) as wrong:
            raise EndpointError("lists no model at /models: name it with --model") from wrong

    async def kv_tokens(self) -> int | None:
        """Of vLLM's metrics; None where nobody says."""
        base = self.url.removesuffix("/v1")
        try:
            async with self.session.get(f"{base}/metrics") as response:
                text = await response.text() if response.status == 200 else ""
        except (aiohttp.ClientError, TimeoutError):
            return None
        return kv_tokens_of(text)

    async def stream(self, prompt: str, answer_tokens: int) -> Streamed:
        body: dict[str, Any] = {
            "model": self.model,
            "prompt": prompt,
            "max_tokens": answer_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self.ignores_end:
            try:
                return await self._streamed(body | {"ignore_eos": True})
            except _RefusedError:
                self.ignores_end = False
        try:
            return await self._streamed(body)
        except _RefusedError as refused:
            raise EndpointError(str(refused)) from refused

    async def _streamed(self, body: dict[str, Any]) -> Streamed:
        loop = asyncio.get_running_loop()
        moments: list[float] = []
        usage: dict[str, Any] = {}
        asked_at = loop.time()
        try:
            async with (
                asyncio.timeout(_LONGEST_SECONDS),
                self.session.post(f"{self.url}/completions", json=body) as response,
            ):
                await _good(response)
                async for line in response.content:
                    if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                        continue
                    event = json.loads(line[6:])
                    usage = event.get("usage") or usage
                    if event.get("choices"):
                        moments.append(loop.time())
        except TimeoutError as late:
            raise EndpointError(f"took longer than {_LONGEST_SECONDS:g} s for one answer: is it overloaded?") from late
        except (aiohttp.ClientError, OSError, ValueError) as failed:
            raise EndpointError(f"an answer broke off ({type(failed).__name__}: {failed})") from failed
        if not moments:
            raise EndpointError("an answer had no token")
        answered = int(usage.get("completion_tokens") or len(moments))
        return Streamed(asked_at, tuple(moments), int(usage.get("prompt_tokens") or 0), answered)


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


class _RefusedError(Exception):
    pass


async def _good(response: aiohttp.ClientResponse) -> None:
    if response.status == 200:
        return
    text = " ".join((await response.text())[:200].split())
    if response.status == 400:
        raise _RefusedError(f"refuses the request: {text}")
    if response.status in (401, 403):
        raise EndpointError(f"answers {response.status}: set OPENAI_API_KEY to a key that it takes")
    raise EndpointError(f"answers {response.status}: {text}")
