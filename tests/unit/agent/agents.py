"""An agent in a process of its own, with whatever engine a test gives it, and a client for its two ports."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from e2e.cluster.free_ports import free_ports

RUNTIME = Path(__file__).parents[3] / "runtime-image"
TOKEN, PRESTOP = "control-token", "prestop-token"
CONTROL = {"authorization": f"Bearer {TOKEN}"}
HOOK = {"x-stoker-prestop": PRESTOP}
_MAIN = """
import sys
from pathlib import Path
from stoker_runtime.agent.command import main
from stoker_runtime.agent.running import Surroundings
folder, stop_seconds, *arguments = sys.argv[1:]
around = Surroundings(Path(folder, "termination"), [Path(folder, "memory.events")], float(stop_seconds))
raise SystemExit(main(arguments, around))
"""
Json = dict[str, Any]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def simulated(port: int, *flags: str) -> list[str]:
    command = [sys.executable, "-m", "stoker_runtime", "simulated", "--served-model-name", "m"]
    return [*command, "--host", "127.0.0.1", "--port", str(port), "--shutdown-timeout", "5", *flags]


def engine_environment(development: bool = True) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(RUNTIME), "VLLM_SERVER_DEV_MODE": str(int(development))}


def script(text: str) -> list[str]:
    """A small engine; PORT is in its environment."""
    return [sys.executable, "-c", text]


class Agent:
    """Run with `async with`; `command` None is an agent beside an engine that the test runs itself."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        stop_seconds: float = 2.0,
        memory_events: str = "oom_kill 0\n",
        prefix: Sequence[str] = (),
        development: bool = True,
    ) -> None:
        self.folder = folder
        self._prefix = prefix
        self._development = development
        self._options = options
        self._stop_seconds = stop_seconds
        self.serve_port, self.control_port, self.engine_port = free_ports(3)
        self.command: list[str] | None = None
        (folder / "memory.events").write_text(memory_events)
        self._output: asyncio.Task[bytes] | None = None

    def of(self, *flags: str) -> Self:
        """With a simulated engine."""
        self.command = simulated(self.engine_port, *flags)
        return self

    def with_script(self, text: str) -> Self:
        self.command = script(text)
        return self

    async def __aenter__(self) -> Self:
        ports = ["--serve-port", self.serve_port, "--control-port", self.control_port, "--engine-port"]
        tokens = ["--control-token-sha256", sha256(TOKEN), "--prestop-token-sha256", sha256(PRESTOP)]
        defaults = ["--engine", "simulated", "--served-name", "m", "--settle-seconds", "0"]
        arguments = [*map(str, ports), str(self.engine_port), *tokens, *defaults, *self._options]
        tail = [] if self.command is None else ["--", *self.command]
        environment = engine_environment(self._development) | {"PORT": str(self.engine_port)}
        self.process = await asyncio.create_subprocess_exec(
            *[*self._prefix, sys.executable, "-c", _MAIN, str(self.folder), str(self._stop_seconds), *arguments, *tail],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
        assert self.process.stdout is not None
        self._output = asyncio.create_task(self.process.stdout.read())
        self.client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(20))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 10)
            except TimeoutError:
                self.process.kill()
        output = await self.output()
        if error is not None:
            print(output)

    @property
    def engine_pid(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (child,) = map(int, children)
        return child

    async def output(self) -> str:
        assert self._output is not None
        return (await asyncio.wait_for(asyncio.shield(self._output), 20)).decode()

    async def code(self, timeout_seconds: float = 15) -> int:
        return await asyncio.wait_for(self.process.wait(), timeout_seconds)

    def told(self) -> Json:
        """The termination message."""
        told: Json = json.loads((self.folder / "termination").read_text())
        return told

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.client.get(f"http://127.0.0.1:{self.control_port}{path}", headers=headers) as response:
            return response.status, await response.text()

    async def post(self, path: str, token: str = TOKEN) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.control_port}{path}"
        async with self.client.post(url, headers={"authorization": f"Bearer {token}"}) as response:
            return response.status, await response.text()

    async def load(self) -> Json:
        status, text = await self.get("/load")
        assert status == 200
        loaded: Json = json.loads(text)
        return loaded

    async def ready(self) -> Self:
        await self.answers("/readyz", 200)
        return self

    async def answers(self, path: str, wanted: int, within_seconds: float = 10) -> str:
        async with asyncio.timeout(within_seconds):
            while True:
                try:
                    status, text = await self.get(path)
                except aiohttp.ClientConnectionError:
                    assert self.process.returncode is None, await self.output()
                    status = 0
                if status == wanted:
                    return text
                await asyncio.sleep(0.01)

    async def loaded(self, within_seconds: float = 10, **wanted: object) -> Json:
        """The first load that says all of this."""
        await self.answers("/livez", 200)
        async with asyncio.timeout(within_seconds):
            while True:
                load = await self.load()
                if all(load[name] == value for name, value in wanted.items()):
                    return load
                await asyncio.sleep(0.01)

    async def complete(self, **fields: Any) -> tuple[int, Json]:
        url = f"http://127.0.0.1:{self.serve_port}/v1/completions"
        async with self.client.post(url, json={"model": "m", "prompt": "a", "max_tokens": 5} | fields) as response:
            return response.status, await response.json(content_type=None)

    async def stream(self, tokens: int) -> bytes:
        """The whole body of a stream; raises where it was cut."""
        url = f"http://127.0.0.1:{self.serve_port}/v1/completions"
        body = {"model": "m", "prompt": "a", "stream": True, "max_tokens": tokens, "ignore_eos": True}
        async with self.client.post(url, json=body) as response:
            assert response.status == 200, await response.text()
            return await response.read()
