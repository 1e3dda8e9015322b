"""A real agent before the simulated engine, read from both of their ports."""

import os
from dataclasses import replace
from pathlib import Path

from stoker.signals.polling.pace import Pace
from stoker.signals.signals import Signals
from stoker.signals.target import Source, Target
from tests.beside import working
from tests.unit.agent.agents import Agent
from tests.unit.signals.patience import until


async def test_a_real_agent_and_its_engine_are_read(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        signals = Signals(Pace(busy_seconds=0.1, idle_seconds=0.2))
        by_agent = Target("agent", "ns", os.environ.get("HOSTNAME", ""), "ns/m", "127.0.0.1", agent.control_port)
        by_engine = replace(
            by_agent, uid="engine", port=agent.engine_port, source=Source.ENGINE, path="/metrics", engine="simulated"
        )
        signals.follow([by_agent, by_engine])
        async with working(signals.run()):
            await until(lambda: all(signals.reading(uid).load for uid in ("agent", "engine")), 30)
            status, _ = await agent.complete()
            assert status == 200
            await until(lambda: min(arrivals(signals, "agent"), arrivals(signals, "engine")) > 0)


def arrivals(signals: Signals, uid: str) -> int:
    load = signals.reading(uid).load
    return load.arrivals if load else 0
