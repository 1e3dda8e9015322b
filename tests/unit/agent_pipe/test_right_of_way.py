"""Each piece that passes, in either direction, lets an answer of the control port go first."""

import pytest

from stoker_runtime.agent.interpreter import RIGHT_OF_WAY
from tests.unit.agent_pipe.memory import Bench, settled
from tests.unit.agent_pipe.raw_engine import answer, post


async def test_requests_and_answers_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(RIGHT_OF_WAY, "give", lambda: given.append("way"))
    bench = Bench()
    client = bench.client()
    client.arrives(post())
    await settled()
    assert len(given) == 1
    bench.engines[0].arrives(answer(b"abc"))
    assert len(given) == 2
