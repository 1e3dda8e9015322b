"""An operator that runs as a process of its own, and what can be read off it from outside."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from stoker.telemetry.catalogue import API_CALLS

_CAUGHT_UP = re.compile(r"caught up with \d+ models")
_HEALTH_PORT = re.compile(r"health on port (\d+)")
LONGEST_START_SECONDS = 120.0


class OperatorProcess:
    """Runs from `with` on and is gone after it."""

    def __init__(self, configuration: Path, log: Path, prefix: Sequence[str] = ()) -> None:
        """`prefix` is the command that enters the cluster's network; nothing where this process is there already."""
        self._command = [*prefix, sys.executable, "-m", "stoker.cli", "operator", "--config", str(configuration)]
        # From its second start on it is compiled, as in its image, also where Python was told to leave nothing behind.
        self._environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._log = log

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT, env=self._environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
            self._process.wait(30)

    def wait_for_end(self, seconds: float) -> None:
        """Fails with what it said last where it goes on."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there after {seconds:.0f} s: {self._log.read_text()[-2000:]}") from None

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait(30)

    @property
    def pid(self) -> int:
        """Of the operator itself, below whatever entered the network for it."""
        pid = self._process.pid
        while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            pid = int(children[0])
        return pid

    async def leads(self) -> float:
        return await self._said(re.compile("leading: read"))

    async def stands_by(self) -> float:
        return await self._said(re.compile("stands by"))

    async def caught_up(self) -> float:
        """Seconds from the process's start, its imports included, until every model was looked at."""
        return await self._said(_CAUGHT_UP)

    async def api_calls(self) -> dict[str, float]:
        """How many requests it has made of the API server, by verb, as it counts them itself."""
        port = _HEALTH_PORT.search(self._log.read_text())
        assert port, f"the operator did not say its port: see {self._log}"
        async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port[1]}/metrics") as answer:
            page = await answer.text()
        calls: dict[str, float] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == API_CALLS.name:
                    verb = sample.labels["verb"]
                    calls[verb] = calls.get(verb, 0.0) + sample.value
        return calls

    async def _said(self, text: re.Pattern[str]) -> float:
        while not text.search(self._log.read_text()):
            if self._process.poll() is not None or time.monotonic() - self._began > LONGEST_START_SECONDS:
                raise SystemExit(f"the operator did not say {text.pattern!r}: see {self._log}")
            await asyncio.sleep(0.02)
        return time.monotonic() - self._began

    def resident_mb(self, *, peak: bool = False) -> float:
        name = "VmHWM" if peak else "VmRSS"
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) / 1000

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
