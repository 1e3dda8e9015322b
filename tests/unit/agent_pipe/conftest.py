"""The pipe must hold on both event loops that it may run on."""

import asyncio
import importlib.util
from collections.abc import Callable, Mapping

from stoker_runtime.agent.event_loop import new_event_loop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops = {"asyncio": asyncio.new_event_loop}
    return loops | {"uvloop": new_event_loop} if importlib.util.find_spec("uvloop") else loops
