"""`python -m stoker_runtime simulated`: run the engine until it is told to end."""

import asyncio
import signal
import sys

from stoker_runtime.simulated.server import SimulatedServer
from stoker_runtime.simulated.settings import SettingError, Settings, settings_from


def main(arguments: list[str]) -> int:
    try:
        settings = settings_from(arguments)
    except SettingError as wrong:
        print(f"simulated: {wrong}", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(settings))
    except OSError as error:
        print(f"simulated: cannot listen on port {settings.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    server = SimulatedServer(settings)
    port = await server.start()
    print(f"listening on port {port}", flush=True)
    await told.wait()
    print(f"shutting down: streams have {settings.shutdown_timeout:g} s", flush=True)
    await server.drain()
    await server.stop()
