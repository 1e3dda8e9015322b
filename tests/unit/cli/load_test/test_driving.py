"""The load itself, against a simulated engine and against servers that behave badly."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from stoker.cli.__main__ import main
from stoker.cli.input_error import InputError
from stoker.cli.load_test.driving import levels
from stoker.cli.load_test.measured import Level
from stoker.cli.openai.server import model_served, session_with
from tests.unit.cli.load_test.test_figures import COURSE
from tests.unit.simulated_engine.served import SLOW, Served

EVENT = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


async def measure(base: str, **changes: object) -> list[Level]:
    course = replace(COURSE, base=base, model="m", output_tokens=8, prompt_tokens=16, **changes)  # type: ignore[arg-type]
    async with session_with({}) as session:
        return [level async for level in levels(session, course, 1, lambda *_: None)]


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers each request with the next of these, and then with the last for ever."""
    bodies: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        bodies.append(await reader.readexactly(length))
        writer.write(answers[min(len(bodies), len(answers)) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", bodies


async def test_so_many_requests_run_at_once_and_no_more_are_sent() -> None:
    async with Served(replica=SLOW) as engine:
        first, second = await measure(f"http://127.0.0.1:{engine.port}/v1", levels=(1, 4), requests=12)
    assert (first.finished, second.finished) == (12, 12)
    assert first.output_tokens_mean == second.output_tokens_mean == 8
    assert first.counted_by_server
    # A step takes the same time however many it serves, so four at once are nearly four times as many a second.
    assert second.requests_per_second > 1.5 * first.requests_per_second


async def test_a_level_ends_by_time_and_lets_what_runs_finish() -> None:
    async with Served(replica=SLOW) as engine:
        (measured,) = await measure(f"http://127.0.0.1:{engine.port}/v1", levels=(3,), requests=None, seconds=0.3)
    assert measured.finished >= 3
    assert not measured.errors
    assert measured.seconds < 5


async def test_a_server_that_answers_nothing_at_first_ends_the_test() -> None:
    refused = b"HTTP/1.1 404 Not Found\r\nContent-Length: 17\r\nConnection: close\r\n\r\nno model called m"
    async with answering(refused) as (base, bodies):
        with pytest.raises(InputError, match="no answer to the first request, failed: 404 no model"):
            await measure(base)
    assert len(bodies) == 1


async def test_a_server_that_refuses_is_not_flooded() -> None:
    good = HEAD + EVENT + b"data: [DONE]\n\n"
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
    async with answering(good, busy) as (base, bodies):
        (measured,) = await measure(base, levels=(2, 50), requests=None, seconds=0.5)
    assert measured.errors == {"refused": len(bodies) - 1}
    assert len(bodies) <= 2 * 4 + 1
    assert measured.details == {"503 busy": len(bodies) - 1}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (HEAD + EVENT, "cut"),
        (HEAD + b"data: {not json\n\n", "cut"),
        (HEAD + b'data: {"error": {"message": "out of memory"}}\n\n', "failed"),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", "failed"),
        (b"nonsense\r\n\r\n", "unreachable"),
        (HEAD + b"data: " + b"x" * 3_000_000, "cut"),
    ],
)
async def test_an_answer_that_is_none_is_an_error_and_never_a_latency(answer: bytes, outcome: str) -> None:
    good = HEAD + EVENT + b"data: [DONE]\n\n"
    async with answering(good, answer) as (base, _):
        (measured,) = await measure(base, levels=(1,), requests=1)
    assert measured.errors == {outcome: 1}
    assert measured.first_token_seconds.p50 is None


async def test_what_only_says_who_speaks_is_no_token() -> None:
    role = b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
    strange = b'data: [1]\n\ndata: {"choices":[null,{"delta":null}]}\n\n: comment\n\n'
    async with answering(HEAD + role + strange + EVENT + b"data: [DONE]\n\n") as (base, _):
        (measured,) = await measure(base, levels=(1,), requests=1)
    assert measured.output_tokens_mean == 1
    assert not measured.counted_by_server


async def test_no_prompt_begins_like_another() -> None:
    async with answering(HEAD + EVENT + b"data: [DONE]\n\n") as (base, bodies):
        await measure(base, levels=(2,), requests=6)
    prompts = [json.loads(body)["messages"][0]["content"].split() for body in bodies]
    assert len({prompt[0] for prompt in prompts}) == 7
    assert {len(prompt) for prompt in prompts} == {16}


async def test_the_one_model_of_a_server_is_found() -> None:
    async with Served() as engine, session_with({}) as session:
        assert await model_served(session, f"http://127.0.0.1:{engine.port}/v1") == "m"


async def test_of_several_models_one_has_to_be_named() -> None:
    listed = b'{"data":[{"id":"a"},{"id":"b"}]}'
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    async with answering(head + listed, head + b"[]") as (base, _), session_with({}) as session:
        with pytest.raises(InputError, match="lists a, b: name one with --model"):
            await model_served(session, base)
        with pytest.raises(InputError, match="lists no models: name the model with --model"):
            await model_served(session, base)


def test_a_load_without_an_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load-test", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == ("stoker load-test: a load needs an end: give --requests N or --seconds S\n")


def test_a_dry_run_says_what_it_would_send(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["load-test", "http://127.0.0.1:1", "--requests", "5", "--model", "m", "--dry-run"]
    assert main(command) == 0
    assert "at most 15 requests" in capsys.readouterr().out


def test_a_key_comes_from_a_variable_and_never_from_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    assert main(["load-test", "http://127.0.0.1:1", "--requests", "1", "--key-variable", "NO_SUCH_KEY"]) == 2
    assert "--key-variable NO_SUCH_KEY: there is no such variable" in capsys.readouterr().err
    assert main(["load-test", "http://me:secret@127.0.0.1:1", "--requests", "1"]) == 2
    assert "secret" not in capsys.readouterr().err
