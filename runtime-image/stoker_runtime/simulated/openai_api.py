"""The routes that use the model: chat, completions, embeddings."""

import asyncio
import base64
import struct
import time
from dataclasses import dataclass

from stoker_runtime.simulated.answers import AnswerRules
from stoker_runtime.simulated.api_errors import ApiError
from stoker_runtime.simulated.api_requests import (
    Embed,
    Generate,
    Limits,
    Prompt,
    body_of,
    chat_request,
    completion_request,
    embedding_request,
)
from stoker_runtime.simulated.chunks import DONE, ChoiceStream, Envelope, choice, envelope, random_id, usage_of
from stoker_runtime.simulated.connection import Exchange, Handler
from stoker_runtime.simulated.engine import Engine
from stoker_runtime.simulated.faults import Injector
from stoker_runtime.simulated.generation import Generation
from stoker_runtime.simulated.receivers import Streamed, Whole
from stoker_runtime.simulated.words import Answer, seed_of

EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class _Asked:
    """A request with its answers' sequences, index by index."""

    request: Generate
    envelope: Envelope
    answers: list[Answer]
    receivers: list[Whole]
    generations: list[Generation]

    def usage(self) -> dict[str, object]:
        prompt_tokens = sum(prompt.tokens for prompt in self.request.prompts)
        return usage_of(prompt_tokens, sum(generation.generated for generation in self.generations))


class OpenAiApi:
    def __init__(self, engine: Engine, limits: Limits, rules: AnswerRules, injector: Injector) -> None:
        self._engine = engine
        self._limits = limits
        self._rules = rules
        self._injector = injector
        self._in_flight = 0

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/chat/completions"): self.chat,
            ("POST", "/v1/completions"): self.completions,
            ("POST", "/v1/embeddings"): self.embeddings,
            ("GET", "/load"): self.load,
        }

    async def load(self, exchange: Exchange) -> None:
        exchange.answer_json(200, {"server_load": self._in_flight})

    async def chat(self, exchange: Exchange) -> None:
        await self._generate(exchange, chat_request(_body(exchange), self._limits))

    async def completions(self, exchange: Exchange) -> None:
        await self._generate(exchange, completion_request(_body(exchange), self._limits))

    async def embeddings(self, exchange: Exchange) -> None:
        request = embedding_request(_body(exchange), self._limits)
        self._maybe_fail()
        receivers = [Whole() for _ in request.prompts]
        generations = [
            Generation(prompt.tokens, 0, receiver=receiver, reason="stop")
            for prompt, receiver in zip(request.prompts, receivers, strict=True)
        ]
        reasons = await self._run(generations, receivers)
        if "abort" in reasons:
            raise ApiError("The request was aborted.", "InternalServerError", 500)
        exchange.answer_json(200, self._embedded(request))

    async def _generate(self, exchange: Exchange, request: Generate) -> None:
        self._maybe_fail()
        asked = self._asked(exchange, request)
        if not request.stream:
            reasons = await self._run(asked.generations, asked.receivers)
            choices = [
                choice(request, index, answer, asked.generations[index].generated, reasons[index])
                for index, answer in enumerate(asked.answers)
            ]
            exchange.answer_json(200, asked.envelope.body(choices, asked.usage()))
            return
        exchange.begin(EVENT_STREAM)
        await self._run(asked.generations, asked.receivers)
        usage = asked.envelope.chunk([], asked.usage()) if request.usage else b""
        exchange.send(usage + DONE)
        exchange.end()

    def _asked(self, exchange: Exchange, request: Generate) -> _Asked:
        common = envelope(request, self._limits.model, int(time.time()))
        asked = _Asked(request, common, [], [], [])
        for index, prompt in enumerate(request.prompts):
            answer = self._rules.answer(request, prompt, garbled=self._engine.garbled)
            if request.stream:
                stream = ChoiceStream(common, request, index, prompt.tokens)
                receiver: Whole = Streamed(exchange, stream, answer)
            else:
                receiver = Whole()
            asked.answers.append(answer)
            asked.receivers.append(receiver)
            asked.generations.append(Generation(prompt.tokens, answer.tokens, receiver=receiver, reason=answer.reason))
        return asked

    async def _run(self, generations: list[Generation], receivers: list[Whole]) -> list[str]:
        """Why each ended. Where the client goes away this is cancelled, and its sequences are with it."""
        self._in_flight += 1
        try:
            for generation in generations:
                self._engine.submit(generation)
            return await asyncio.gather(*(receiver.end for receiver in receivers))
        finally:
            self._in_flight -= 1
            for generation in generations:
                self._engine.cancel(generation)

    def _maybe_fail(self) -> None:
        if self._injector.spoils_next_request():
            raise ApiError("The simulated engine was told to fail.", "InternalServerError", 500)

    def _embedded(self, request: Embed) -> dict[str, object]:
        data = [
            {"index": index, "object": "embedding", "embedding": self._embedding(prompt, request)}
            for index, prompt in enumerate(request.prompts)
        ]
        tokens = sum(prompt.tokens for prompt in request.prompts)
        created = int(time.time())
        usage = usage_of(tokens, 0)
        return {
            "id": f"embd-{random_id()}",
            "object": "list",
            "created": created,
            "model": self._limits.model,
            "data": data,
            "usage": usage,
        }

    def _embedding(self, prompt: Prompt, request: Embed) -> list[float] | str:
        seed = seed_of(self._rules.seed, prompt.text)
        raw = [seed_of(seed, index) / 2**31 - 1 for index in range(request.dimensions)]
        length = sum(value * value for value in raw) ** 0.5 or 1.0
        vector = [value / length for value in raw]
        if not request.base64:
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _body(exchange: Exchange) -> dict[str, object]:
    request = exchange.request
    return body_of(request.headers.get("content-type", ""), request.body)
