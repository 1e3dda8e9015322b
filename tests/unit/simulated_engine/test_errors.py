"""Bad requests get what vLLM gives them, in OpenAI's format."""

from typing import Any

import pytest

from tests.unit.simulated_engine.served import MESSAGES, Served

CHAT = "/v1/chat/completions"


async def test_a_model_that_is_not_served_is_not_found() -> None:
    async with Served() as engine:
        status, error = await engine.refusal(CHAT, {"model": "other", "messages": MESSAGES})
    assert status == 404
    assert error == {
        "message": "The model `other` does not exist. Valid aliases: m.",
        "type": "NotFoundError",
        "param": "model",
        "code": 404,
    }


async def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers() -> None:
    async with Served(context_length=100) as engine:
        status, error = await engine.refusal("/v1/completions", {"prompt": [1] * 101})
    assert status == 400
    assert error["type"] == "BadRequestError"
    assert "maximum context length is 100 tokens. However, your prompt contains 101 input tokens" in error["message"]


@pytest.mark.parametrize("data", [b"{not json", b"[" * 100_000, b"\xff"])
async def test_what_is_no_json_is_refused(data: bytes) -> None:
    async with Served() as engine:
        status, error = await engine.refusal(
            CHAT, None, json=None, data=data, headers={"content-type": "application/json"}
        )
    assert (status, error["code"], error["type"]) == (400, 400, "Bad Request")


async def test_another_type_of_content_is_refused() -> None:
    async with Served() as engine:
        status, error = await engine.refusal(CHAT, None, json=None, data=b"{}", headers={"content-type": "text/plain"})
    assert status == 400
    assert "Only 'application/json' is allowed" in error["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "body.messages"),
        ({"messages": "hello"}, "body.messages"),
        ({"messages": [{"content": "no role"}]}, "body.messages.0"),
        ({"messages": [{"role": "user", "content": 5}]}, "body.messages.0.content"),
        ({"n": 2}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "5"}, "body.max_tokens"),
        ({"max_tokens": 5000}, "max_tokens"),
        ({"stop": [""]}, "stop"),
        ({"stop": 5}, "body.stop"),
        ({"stream": "yes"}, "body.stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"temperature": -1}, "temperature"),
        ({"tools": [{}]}, "body.tools"),
    ],
)
async def test_a_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    async with Served() as engine:
        status, error = await engine.refusal(CHAT, {"messages": MESSAGES} | fields)
    assert (status, error["param"]) == (400, param)


@pytest.mark.parametrize("body", [{}, {"prompt": []}, {"prompt": 5}, {"prompt": [[]]}, {"prompt": [1, "a"]}])
async def test_a_completion_needs_a_prompt(body: dict[str, Any]) -> None:
    async with Served() as engine:
        status, error = await engine.refusal("/v1/completions", body)
    assert (status, error["param"]) == (400, "body.prompt")


async def test_an_unknown_path_and_a_wrong_method_are_told_apart() -> None:
    async with Served() as engine:
        assert (await engine.get("/v1/nothing"))[0] == 404
        assert (await engine.get(CHAT))[0] == 405
