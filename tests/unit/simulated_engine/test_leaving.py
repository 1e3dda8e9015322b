"""SIGTERM, and the process as a whole."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import aiohttp
import pytest

from tests.unit.simulated_engine.served import MESSAGES, SLOW, Served, reason_of, text_of

RUNTIME = Path(__file__).parents[3] / "runtime-image"


async def test_leaving_it_takes_nothing_new_and_finishes_what_runs() -> None:
    async with Served(replica=SLOW) as engine:
        async with engine.stream(max_tokens=30, ignore_eos=True) as events:
            first = [await anext(events)]
            drained = asyncio.create_task(engine.server.drain())
            await asyncio.sleep(0)
            status, error = await engine.refusal("/v1/chat/completions", {"messages": MESSAGES})
            assert (status, error["type"]) == (503, "ServiceUnavailableError")
            assert not drained.done()
            rest = [event async for event in events]
        await drained
        assert len(text_of(first + rest).split()) == 30


async def test_a_refusal_tells_when_to_come_back_and_closes_the_connection() -> None:
    async with Served() as engine:
        await engine.server.drain()
        async with engine._client.get("/v1/models") as response:
            assert response.status == 503
            assert response.headers["retry-after"] == "1"
            assert response.headers["connection"] == "close"


async def test_streams_that_take_too_long_end_early_and_properly() -> None:
    async with Served(replica=SLOW, shutdown_timeout=0.05) as engine:
        async with engine.stream(max_tokens=4000, ignore_eos=True) as events:
            first = [await anext(events)]
            await engine.server.drain()
            rest = [event async for event in events]
        assert reason_of(first + rest) == "abort"


async def test_health_stays_good_while_it_leaves() -> None:
    async with Served() as engine:
        await engine.server.drain()
        assert (await engine.get("/health"))[0] == 200


def started(*flags: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "stoker_runtime", "simulated", "--served-model-name", "m", "--port", "0", *flags]
    environment = os.environ | {"PYTHONPATH": str(RUNTIME)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on port "), process.communicate()[1]
    return process, int(line.rsplit(" ", 1)[1])


def test_told_to_end_the_process_finishes_its_stream_and_exits_with_0() -> None:
    process, port = started("--shutdown-timeout", "10", "--decode-base-ms", "5")
    with process:
        body = json.dumps({"prompt": "a", "stream": True, "max_tokens": 60, "ignore_eos": True}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/completions", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
            response.readline()
            process.send_signal(signal.SIGTERM)
            rest = response.read()
        assert rest.count(b"data: {") == 59
        assert rest.endswith(b"data: [DONE]\n\n")
        process.communicate(timeout=10)
        assert process.returncode == 0


def test_told_to_end_while_it_loads_it_ends_at_once() -> None:
    process, _ = started("--start-seconds", "1000")
    with process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=5)
        assert process.returncode == 0


def test_a_crash_takes_the_process_with_it() -> None:
    process, port = started("--crash-at-token", "3", "--exit-code", "9")
    with process:

        async def ask() -> None:
            async with aiohttp.ClientSession() as client:
                body = {"prompt": "a", "max_tokens": 9}
                await client.post(f"http://127.0.0.1:{port}/v1/completions", json=body)

        with pytest.raises(aiohttp.ClientError):
            asyncio.run(ask())
        process.communicate(timeout=5)
        assert process.returncode == 9


def test_a_wrong_flag_is_one_line_and_2() -> None:
    command = [sys.executable, "-m", "stoker_runtime", "simulated", "--served-model-name", "m", "--profile", "tpu"]
    environment = os.environ | {"PYTHONPATH": str(RUNTIME)}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert answer.returncode == 2
    assert answer.stderr == "simulated: no profile 'tpu': choose of h100, a100, l40s\n"
