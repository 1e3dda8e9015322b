"""Chat, completions and embeddings, answered whole."""

import base64
import json
import struct
from typing import Any

import pytest

from tests.unit.simulated_engine.served import MESSAGES, Served

TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


async def test_the_model_is_listed_with_its_context_length() -> None:
    async with Served() as engine:
        _, text = await engine.get("/v1/models")
    (card,) = json.loads(text)["data"]
    assert (card["id"], card["object"], card["max_model_len"]) == ("m", "model", 4096)


async def test_a_chat_is_answered_with_as_many_words_as_asked_for() -> None:
    async with Served() as engine:
        answer = await engine.chat(max_tokens=7)
    (choice,) = answer["choices"]
    assert answer["object"] == "chat.completion"
    assert choice["message"]["role"] == "assistant"
    assert len(choice["message"]["content"].split()) == 7
    assert choice["finish_reason"] == "length"


async def test_the_usage_counts_prompt_and_answer() -> None:
    async with Served() as engine:
        usage = (await engine.complete(prompt=[1, 2, 3], max_tokens=7))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (3, 7, 10)


async def test_without_a_limit_a_chat_ends_by_itself() -> None:
    async with Served(answer_tokens=9) as engine:
        answer = await engine.chat()
    assert answer["usage"]["completion_tokens"] == 9
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_told_to_ignore_the_end_it_goes_on_to_the_limit() -> None:
    async with Served(answer_tokens=9) as engine:
        answer = await engine.chat(max_completion_tokens=30, ignore_eos=True)
    assert answer["usage"]["completion_tokens"] == 30


async def test_a_completion_has_sixteen_tokens_where_nothing_is_said() -> None:
    async with Served() as engine:
        answer = await engine.complete()
    assert answer["object"] == "text_completion"
    assert answer["usage"]["completion_tokens"] == 16


async def test_several_prompts_get_an_answer_each() -> None:
    async with Served() as engine:
        answer = await engine.complete(prompt=["one", "two"], max_tokens=2)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["choices"][0]["text"] != answer["choices"][1]["text"]


async def test_the_answer_fits_into_what_the_prompt_leaves_of_the_context() -> None:
    async with Served(context_length=100) as engine:
        answer = await engine.complete(prompt=[1] * 90, max_tokens=50, ignore_eos=True)
    assert answer["usage"]["completion_tokens"] == 10


async def test_the_same_question_gets_the_same_answer_after_a_restart() -> None:
    texts = []
    for seed in (1, 1, 2):
        async with Served(seed=seed) as engine:
            texts.append((await engine.chat())["choices"][0]["message"]["content"])
    assert texts[0] == texts[1] != texts[2]


async def test_no_two_answers_have_the_same_id() -> None:
    async with Served() as engine:
        assert (await engine.chat())["id"] != (await engine.chat())["id"]


async def test_a_stop_string_ends_the_answer_and_is_not_in_it() -> None:
    async with Served() as engine:
        whole = (await engine.complete(max_tokens=20))["choices"][0]["text"]
        stop = whole.split()[7]
        answer = await engine.complete(max_tokens=20, stop=stop)
    (choice,) = answer["choices"]
    assert choice["text"] == whole[: whole.find(stop)]
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", stop)


async def test_a_tool_is_called_with_the_users_words() -> None:
    async with Served() as engine:
        (choice,) = (await engine.chat(tools=[TOOL]))["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Say something."}
    assert choice["finish_reason"] == "tool_calls"


async def test_the_tool_that_is_chosen_is_called() -> None:
    other = {"type": "function", "function": {"name": "time"}}
    async with Served() as engine:
        (choice,) = (await engine.chat(tools=[TOOL, other], tool_choice=other))["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "time"


@pytest.mark.parametrize(
    "fields",
    [{"tool_choice": "none"}, {"messages": [*MESSAGES, {"role": "tool", "tool_call_id": "1", "content": "mild"}]}],
)
async def test_no_tool_is_called_where_none_is_wanted_or_its_result_is_there(fields: dict[str, Any]) -> None:
    async with Served() as engine:
        (choice,) = (await engine.chat(tools=[TOOL], **fields))["choices"]
    assert choice["message"]["content"]
    assert "tool_calls" not in choice["message"]


async def test_embeddings_are_unit_vectors_and_the_same_each_time() -> None:
    async with Served() as engine:
        _, first = await engine.post("/v1/embeddings", {"model": "m", "input": ["a", "b", "a"], "dimensions": 8})
    vectors = [item["embedding"] for item in first["data"]]
    assert vectors[0] == vectors[2] != vectors[1]
    assert sum(value * value for value in vectors[0]) == pytest.approx(1)
    assert len(vectors[0]) == 8
    assert first["usage"]["prompt_tokens"] == 6


async def test_embeddings_come_in_base64_where_asked_for() -> None:
    async with Served() as engine:
        body = {"input": "a", "dimensions": 8}
        _, plain = await engine.post("/v1/embeddings", body)
        _, packed = await engine.post("/v1/embeddings", body | {"encoding_format": "base64"})
    unpacked = struct.unpack("<8f", base64.b64decode(packed["data"][0]["embedding"]))
    assert unpacked == pytest.approx(plain["data"][0]["embedding"])


async def test_parts_of_a_message_are_text_too() -> None:
    async with Served() as engine:
        parts = [{"type": "text", "text": "Say something."}]
        in_parts = await engine.chat(messages=[{"role": "user", "content": parts}])
        plain = await engine.chat()
    assert in_parts["choices"][0]["message"] == plain["choices"][0]["message"]
