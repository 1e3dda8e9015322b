"""A control port's answers, asked from a process of its own while streams run."""

import asyncio
import json
import statistics
import sys
from dataclasses import dataclass

from bench.agent.cores import Cores

_QUESTIONS = 3000


@dataclass(frozen=True)
class Asked:
    """Milliseconds from a question to its answer, on one connection."""

    p50_ms: float
    p99_ms: float
    most_ms: float


async def asked(port: int, place: Cores) -> Asked:
    asking = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "tests.unit.agent.questions", "127.0.0.1", str(port), str(_QUESTIONS)],
        stdout=asyncio.subprocess.PIPE,
    )
    place.let_in(asking.pid)
    output, _ = await asking.communicate()
    if asking.returncode:
        raise SystemExit(f"the control port {port} did not answer every question")
    milliseconds = sorted(1000 * seconds for seconds in json.loads(output))
    p99 = milliseconds[int(len(milliseconds) * 0.99)]
    return Asked(statistics.median(milliseconds), p99, milliseconds[-1])
