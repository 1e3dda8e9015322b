# ruff: noqa: INP001 - it runs inside the image
"""A chat model as a BentoML service with OpenAI's API, as a platform team writes one of its own."""

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import bentoml  # type: ignore[import-not-found]
import torch  # type: ignore[import-not-found]
from fastapi import FastAPI  # type: ignore[import-not-found]
from fastapi.responses import StreamingResponse  # type: ignore[import-not-found]
from pydantic import BaseModel
from transformers import (  # type: ignore[import-not-found]
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteria,
    TextIteratorStreamer,
)

MODEL_PATH = os.environ.get("MODEL_PATH", "/model")
SERVED_NAME = os.environ.get("SERVED_MODEL_NAME", "tiny-llama")
openai_api = FastAPI()


class ChatRequest(BaseModel):
    model: str
    messages: list[dict[str, Any]]
    max_tokens: int = 128
    stream: bool = False


class Abandoned(StoppingCriteria):  # type: ignore[misc]
    """Ends a generation whose reader has left."""

    def __init__(self) -> None:
        self.reader_left = False

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002 - as transformers calls it
        return torch.full((input_ids.shape[0],), self.reader_left, dtype=torch.bool)


@bentoml.service(traffic={"timeout": 600})
@bentoml.asgi_app(openai_api, path="/v1")
class TinyChat:
    def __init__(self) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(MODEL_PATH)
        self.model = AutoModelForCausalLM.from_pretrained(MODEL_PATH).eval()

    @openai_api.get("/models")  # type: ignore[untyped-decorator]
    def models(self) -> dict[str, Any]:
        return {"object": "list", "data": [{"id": SERVED_NAME, "object": "model", "owned_by": "bentoml"}]}

    @openai_api.post("/chat/completions", response_model=None)  # type: ignore[untyped-decorator]
    def chat(self, request: ChatRequest) -> Any:
        answer = _Answer(self, request)
        return StreamingResponse(answer.events(), media_type="text/event-stream") if request.stream else answer.whole()


class _Answer:
    """One generation, in a thread of its own, whose text is read as it comes."""

    def __init__(self, service: Any, request: ChatRequest) -> None:
        self.head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": SERVED_NAME}
        self.limit = request.max_tokens
        prompt = service.tokenizer.apply_chat_template(
            request.messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        self.prompt_tokens = prompt["input_ids"].shape[1]
        self.completion_tokens = 0
        self.abandoned = Abandoned()
        self.text = TextIteratorStreamer(service.tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.generation = threading.Thread(target=self._generate, args=(service.model, prompt), daemon=True)
        self.generation.start()

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(self.text)}
        self.generation.join()  # the text ends before the tokens are counted
        choice = {"index": 0, "message": message, "finish_reason": self._reason()}
        return {**self.head, "object": "chat.completion", "choices": [choice], "usage": self._usage()}

    def events(self) -> Iterator[str]:
        try:
            for text in filter(None, self.text):  # a token that ends no character yet has no text
                yield self._event({"content": text}, None)
            self.generation.join()
            yield self._event({}, self._reason(), usage=self._usage())
            yield "data: [DONE]\n\n"
        finally:
            self.abandoned.reader_left = True

    def _event(self, delta: dict[str, str], reason: str | None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {**self.head, "object": "chat.completion.chunk", "choices": [choice], **more}
        return f"data: {json.dumps(chunk)}\n\n"

    def _generate(self, model: Any, prompt: Any) -> None:
        try:
            tokens = model.generate(
                **prompt, max_new_tokens=self.limit, streamer=self.text, stopping_criteria=[self.abandoned]
            )
            self.completion_tokens = tokens.shape[1] - self.prompt_tokens
        finally:
            self.text.end()

    def _reason(self) -> str:
        return "length" if self.completion_tokens >= self.limit else "stop"

    def _usage(self) -> dict[str, int]:
        counted = {"prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens}
        return {**counted, "total_tokens": self.prompt_tokens + self.completion_tokens}
