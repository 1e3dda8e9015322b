"""From the first line to ready: weights, engine, health, warm-up."""

import json
import os
import signal
from pathlib import Path

import aiohttp

from stoker_runtime.fetch.manifest import Manifest, ManifestFile, write_manifest
from tests.unit.agent.agents import Agent

PROMPT = ("--warmup-prompt", "Tell me", "--warmup-prompt", "something")


async def test_it_is_live_at_once_and_ready_with_the_engine(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--start-seconds", "0.8") as agent:
        await agent.loaded(phase="loading")
        assert await agent.get("/readyz") == (503, "loading\n")
        await agent.ready()
        assert (await agent.load())["phase"] == "ready"
        _, metrics = await agent.get("/metrics")
    taken = {line.split('"')[1]: float(line.split()[-1]) for line in metrics.splitlines() if "startup_seconds{" in line}
    assert set(taken) == {"process", "loading", "warm_up", "ready"}
    assert 0.8 <= taken["loading"] <= taken["ready"] < 10


async def test_its_warm_up_is_done_before_it_is_ready(tmp_path: Path) -> None:
    async with Agent(tmp_path, *PROMPT).of("--decode-base-ms", "10") as agent:
        await agent.ready()
        assert (await agent.load())["arrivals"] == 0, "they are no client's requests"
        async with aiohttp.ClientSession() as client:
            page = await (await client.get(f"http://127.0.0.1:{agent.engine_port}/metrics")).text()
    (line,) = [line for line in page.splitlines() if line.startswith("vllm:generation_tokens_total{")]
    assert float(line.split()[-1]) == 32


async def test_a_warm_up_that_fails_is_told_and_blocks_nothing(tmp_path: Path) -> None:
    async with Agent(tmp_path, *PROMPT, "--served-name", "other").of() as agent:
        await agent.ready()
        agent.process.send_signal(signal.SIGTERM)
        output = await agent.output()
    assert "warm-up prompt 1 of 2 failed: /v1/completions answered status 404" in output


async def test_metrics_of_the_engine_come_with_the_second_look(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        load = await agent.loaded(running=0)
        assert (load["queued"], load["kv"], load["preemptions"]) == (0, 0.0, 0)
        assert load["engine_age_s"] < 5


async def test_metrics_that_are_gone_are_unknown(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--metrics-gone") as agent:
        await agent.ready()
        for _ in range(20):
            load = await agent.load()
        assert (load["running"], load["queued"], load["kv"], load["engine_age_s"]) == (None, None, None, None)


def published(folder: Path, size_bytes: int) -> Path:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"x" * 10)
    write_manifest(folder, Manifest("hf://a/b", "r", (ManifestFile("model.safetensors", size_bytes, "0" * 64),), "now"))
    return folder


async def test_weights_of_the_published_sizes_are_served(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--weights", str(published(tmp_path / "w", 10))).of() as agent:
        await agent.ready()


async def test_weights_of_other_sizes_are_named(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--weights", str(published(tmp_path / "w", 11))).of() as agent:
        assert await agent.code() == 65
        message = json.loads((tmp_path / "termination").read_text())["message"]
    assert "model.safetensors has 10 bytes, 11 were published" in message


async def test_a_volume_that_never_answers_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    os.mkfifo(tmp_path / "w" / "manifest.json")
    async with Agent(tmp_path, "--weights", str(tmp_path / "w")).of() as agent:
        await agent.loaded(phase="starting")
        agent.process.send_signal(signal.SIGTERM)
        assert await agent.code(5) == 0
