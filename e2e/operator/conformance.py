"""What users do with the official client: `python -m e2e.operator.conformance URL MODEL [CHECK...]`.

One check after the other, all of them where none is named. Prints one line of JSON: the name of each check, and true or
what went wrong. Runs inside the cluster's network.
"""

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import openai

CLIENTS = 200
SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Oslo", "Rome"]}, "days": {"enum": [1, 2]}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]

Check = Callable[[openai.AsyncOpenAI, str], Awaitable[None]]


async def lists_the_model(client: openai.AsyncOpenAI, model: str) -> None:
    # Ollama says its default tag too; it is asked for without.
    assert model in [each.id.removesuffix(":latest") async for each in client.models.list()]


async def answers_a_chat(client: openai.AsyncOpenAI, model: str) -> None:
    answer = await client.chat.completions.create(model=model, messages=HELLO, max_tokens=8)
    assert answer.usage
    assert answer.usage.completion_tokens == 8
    assert answer.choices[0].finish_reason == "length"


async def completes_a_prompt(client: openai.AsyncOpenAI, model: str) -> None:
    answer = await client.completions.create(model=model, prompt="Once", max_tokens=5)
    assert answer.usage
    assert answer.usage.completion_tokens == 5


async def streams_with_usage(client: openai.AsyncOpenAI, model: str) -> None:
    stream = await client.chat.completions.create(
        model=model, messages=HELLO, max_tokens=12, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 12
    assert sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks) > 1


async def streams_a_chat(client: openai.AsyncOpenAI, model: str) -> None:
    """As every engine can: the pieces come one by one, and the last one says why it is the last."""
    stream = await client.chat.completions.create(model=model, messages=HELLO, max_tokens=12, stream=True)
    choices = [choice async for chunk in stream for choice in chunk.choices]
    assert sum(bool(choice.delta.content) for choice in choices) > 1
    assert choices[-1].finish_reason in {"length", "stop"}


async def stops_where_it_is_told(client: openai.AsyncOpenAI, model: str) -> None:
    free = await client.completions.create(model=model, prompt="Once", max_tokens=16, temperature=0)
    word = free.choices[0].text[2:4]
    answer = await client.completions.create(model=model, prompt="Once", max_tokens=16, temperature=0, stop=[word])
    assert word not in answer.choices[0].text
    assert answer.choices[0].finish_reason == "stop"


async def gives_several_choices(client: openai.AsyncOpenAI, model: str) -> None:
    answer = await client.completions.create(model=model, prompt="Once", max_tokens=4, n=3, temperature=1.0)
    assert sorted(choice.index for choice in answer.choices) == [0, 1, 2]


async def tells_probabilities(client: openai.AsyncOpenAI, model: str) -> None:
    answer = await client.chat.completions.create(
        model=model, messages=HELLO, max_tokens=3, logprobs=True, top_logprobs=2
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs
    assert logprobs.content
    assert all(len(token.top_logprobs) == 2 and token.logprob <= 0 for token in logprobs.content)


async def keeps_to_a_schema(client: openai.AsyncOpenAI, model: str) -> None:
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "trip", "schema": SCHEMA, "strict": True}}
    answer = await client.chat.completions.create(model=model, messages=HELLO, max_tokens=64, response_format=wanted)
    assert set(json.loads(answer.choices[0].message.content or "")) == {"city", "days"}


async def calls_a_tool_where_it_must(client: openai.AsyncOpenAI, model: str) -> None:
    tool: Any = {"type": "function", "function": {"name": "book", "parameters": SCHEMA}}
    answer = await client.chat.completions.create(
        model=model, messages=HELLO, max_tokens=200, tools=[tool], tool_choice="required"
    )
    calls: Any = answer.choices[0].message.tool_calls
    # What a model that was hardly trained writes into the arguments is its own affair.
    assert {call.function.name for call in calls} == {"book"}, answer.choices[0]


async def refuses_what_is_wrong(client: openai.AsyncOpenAI, model: str) -> None:
    for wrong in ({"max_tokens": -1}, {"temperature": 99.0}):
        try:
            await client.completions.create(model=model, prompt="Once", **wrong)
        except openai.BadRequestError:
            continue
        raise AssertionError(f"{wrong} was taken")


async def knows_its_own_name_only(client: openai.AsyncOpenAI, model: str) -> None:
    try:
        await client.completions.create(model=f"not-{model}", prompt="Once", max_tokens=1)
    except openai.NotFoundError:
        return
    raise AssertionError("another model's name was answered")


async def answers_many_at_once(client: openai.AsyncOpenAI, model: str) -> None:
    async def one() -> int:
        stream = await client.completions.create(model=model, prompt="Once", max_tokens=8, stream=True)
        return len([chunk async for chunk in stream])

    assert min(await asyncio.gather(*(one() for _ in range(CLIENTS)))) > 0


CHECKS: tuple[Check, ...] = (
    lists_the_model,
    answers_a_chat,
    completes_a_prompt,
    streams_a_chat,
    streams_with_usage,
    stops_where_it_is_told,
    gives_several_choices,
    tells_probabilities,
    keeps_to_a_schema,
    calls_a_tool_where_it_must,
    refuses_what_is_wrong,
    knows_its_own_name_only,
    answers_many_at_once,
)


async def checked(url: str, model: str, names: list[str]) -> dict[str, bool | str]:
    found: dict[str, bool | str] = {}
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=120) as client:
        for check in [each for each in CHECKS if not names or each.__name__ in names]:
            try:
                await check(client, model)
                found[check.__name__] = True
            except (openai.OpenAIError, AssertionError, ValueError, KeyError, IndexError, TypeError):
                found[check.__name__] = traceback.format_exc(limit=-1).strip()[-500:]
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(checked(sys.argv[1], sys.argv[2], sys.argv[3:]))), flush=True)
