"""/healthz, /readyz and /metrics. A loop that stalls does not answer, and a picture that is no longer told of is not
healthy."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from stoker.telemetry.scrape import CONTENT_TYPE

# The API server sends a bookmark about once a minute, and reflectors take up a broken watch by themselves before this.
LONGEST_SILENCE_SECONDS = 300.0


@dataclass
class Health:
    """What the probes are told. Each check answers None, or what is wrong."""

    state: str = "starting"
    checks: list[Callable[[], str | None]] = field(default_factory=list)

    def problems(self) -> list[str]:
        return [problem for check in self.checks if (problem := check())]


class PortTakenError(Exception):
    """Another process listens where the probes should be answered."""

    def __init__(self, port: int) -> None:
        super().__init__(f"probes.port is {port}, and another process listens there: set another port, or 0 for any")


@asynccontextmanager
async def serve_health(health: Health, port: int, metrics: Callable[[], Awaitable[bytes]]) -> AsyncIterator[int]:
    """Gives the port, which the system chooses where it is 0."""

    async def healthz(_: web.Request) -> web.Response:
        problems = health.problems()
        return web.Response(text="\n".join(problems) or health.state, status=500 if problems else 200)

    async def readyz(_: web.Request) -> web.Response:
        ready = health.state in ("standing by", "leading")
        return web.Response(text=health.state, status=200 if ready else 503)

    async def scraped(_: web.Request) -> web.Response:
        return web.Response(body=await metrics(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    routes = [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", scraped)]
    application.add_routes(routes)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, None, port)
        try:
            await site.start()
        except OSError as taken:
            raise PortTakenError(port) from taken
        # Where any port will do, IPv6 gets one of its own, and the two come in no order.
        yield int(min(runner.addresses, key=len)[1])
    finally:
        await runner.cleanup()
