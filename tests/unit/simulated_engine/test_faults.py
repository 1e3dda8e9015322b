"""Faults on demand."""

import asyncio
from typing import Any

import pytest

from stoker_runtime.simulated.faults import Faults
from tests.unit.simulated_engine.served import SLOW, Served


async def test_until_it_has_loaded_nothing_is_served() -> None:
    async with Served(start_seconds=0.1) as engine:
        assert (await engine.get("/health"))[0] == 503
        status, error = await engine.refusal("/v1/completions", {"prompt": "a"})
        assert (status, error["type"]) == (503, "ServiceUnavailableError")
        await engine.becomes_ready()
        await engine.complete()


async def test_a_slow_start_is_added_to_the_start() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with Served(start_seconds=0.05, faults=Faults(slow_start_seconds=0.1)) as engine:
        await engine.becomes_ready()
        assert loop.time() - began >= 0.15


async def test_never_ready_is_never_ready_until_the_fault_is_taken_back() -> None:
    async with Served(faults=Faults(never_ready=True)) as engine:
        await asyncio.sleep(0.05)
        assert (await engine.get("/health"))[0] == 503
        await engine.post("/faults", {"never_ready": False})
        await engine.becomes_ready()


async def test_it_crashes_at_the_token_that_it_is_told() -> None:
    async with Served() as engine:
        await engine.post("/faults", {"crash_at_token": 5, "exit_code": 7})
        await engine.chat(max_tokens=4)
        assert engine.exit_codes == []
        await engine.chat(max_tokens=1)
        assert engine.exit_codes == [7]


async def test_memory_runs_out_with_pytorchs_line_and_the_code_of_a_killed_process(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with Served() as engine:
        await engine.post("/faults", {"out_of_memory_at_token": 2})
        await engine.chat(max_tokens=2)
        assert engine.exit_codes == [137]
    assert "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate" in capfd.readouterr().out


async def test_memory_may_run_out_before_the_first_token() -> None:
    async with Served(faults=Faults(out_of_memory_at_token=0)) as engine:
        await engine.becomes_ready()
        assert engine.exit_codes == [137]


async def test_a_hang_stops_streams_and_counters_and_not_health() -> None:
    async with Served(replica=SLOW) as engine:
        async with engine.stream(max_tokens=40, ignore_eos=True) as events:
            await anext(events)
            await engine.post("/faults", {"hang": True})
            await asyncio.sleep(0.02)
            stands = await engine.metric("vllm:generation_tokens_total")
            await asyncio.sleep(0.05)
            assert await engine.metric("vllm:generation_tokens_total") == stands
            assert await engine.metric("vllm:num_requests_running") == 1
            assert (await engine.get("/health"))[0] == 200
            await engine.post("/faults", {"hang": False})
            assert [event async for event in events]
        assert await engine.metric("vllm:generation_tokens_total") == 40


async def test_the_metrics_may_be_gone() -> None:
    async with Served() as engine:
        await engine.post("/faults", {"metrics_gone": True})
        assert (await engine.get("/metrics"))[0] == 404
        assert (await engine.get("/health"))[0] == 200


async def test_a_share_of_the_requests_fails_and_evenly() -> None:
    async with Served() as engine:
        await engine.post("/faults", {"error_share": 0.25})
        statuses = [(await engine.post("/v1/completions", {"prompt": "a"}))[0] for _ in range(8)]
    assert statuses == [200, 200, 200, 500, 200, 200, 200, 500]


async def test_faults_can_be_read_and_change_one_by_one() -> None:
    async with Served() as engine:
        await engine.post("/faults", {"error_share": 1})
        _, faults = await engine.post("/faults", {"crash_at_token": 100})
        assert (faults["error_share"], faults["crash_at_token"]) == (1, 100)
        _, faults = await engine.post("/faults", {"crash_at_token": None})
        assert faults["crash_at_token"] is None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"explode": True}, "no fault 'explode': choose of slow_start_seconds"),
        ({"hang": 1}, "hang must be true or false, not 1"),
        ({"error_share": 2}, "error_share must be from 0 to 1, not 2"),
        ({"error_share": None}, "error_share must be a number, not None"),
        ({"crash_at_token": 0}, "crash_at_token must be at least 1, not 0"),
        ({"crash_at_token": 1.5}, "crash_at_token must be a whole number, not 1.5"),
        ([], "the body must be an object of faults"),
    ],
)
async def test_a_wrong_fault_is_refused_in_a_sentence(body: Any, sentence: str) -> None:
    async with Served() as engine:
        status, error = await engine.refusal("/faults", body)
    assert status == 400
    assert error["message"].startswith(sentence)
