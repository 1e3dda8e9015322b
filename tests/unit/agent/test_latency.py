"""The control port's answers while the pipe has all it can do."""

import asyncio
import json
import statistics
import sys
from pathlib import Path

from tests.unit.agent import questions
from tests.unit.agent.agents import Agent

# Generous, for a machine that is shared: a loop that it shared with the pipe would take as long as its longest turn.
MOST_P99_SECONDS = 0.25
STREAMS, QUESTIONS = 200, 600


async def test_load_and_ready_are_answered_at_once_while_streams_saturate_the_pipe(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--decode-base-ms", "1", "--max-concurrency", "256") as agent:
        await agent.ready()
        streams = [asyncio.create_task(agent.stream(3000)) for _ in range(STREAMS)]
        await agent.loaded(in_flight=STREAMS)
        asking = await asyncio.create_subprocess_exec(
            *[sys.executable, questions.__file__, "127.0.0.1", str(agent.control_port), str(QUESTIONS)],
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await asking.communicate()
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    seconds = sorted(json.loads(output))
    p99 = seconds[int(len(seconds) * 0.99)]
    print(f"p50 {statistics.median(seconds) * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    assert p99 < MOST_P99_SECONDS
