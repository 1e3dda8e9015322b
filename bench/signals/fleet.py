"""A fleet of replicas in one process: every address of 127.1.0.0/16 answers GET /load as it is told to.

    python -m bench.signals.fleet BUSY FAULTY HUNG     writes its port, then answers until its input ends

Replica n has the address 127.1.(n / 250).(n % 250 + 1). Of every hundred, the first BUSY have requests, the last FAULTY
answer with what is no load, and the HUNG before them do not answer at all.
"""

import asyncio
import json
import sys
from functools import partial

from stoker.signals.target import Target

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


def address(index: int) -> str:
    return f"127.1.{index // 250}.{index % 250 + 1}"


def index_of(ip: str) -> int:
    third, fourth = ip.split(".")[2:]
    return int(third) * 250 + int(fourth) - 1


def targets(count: int, port: int) -> list[Target]:
    return [
        Target(f"uid-{index:05}", "bench", f"pod-{index}", f"model-{index // 5}", address(index), port)
        for index in range(count)
    ]


def is_faulty(index: int, faulty: int, hung: int) -> bool:
    return index % 100 >= 100 - faulty - hung


class Replica(asyncio.Protocol):
    def __init__(self, busy: int, faulty: int, hung: int) -> None:
        self._shares = busy, faulty, hung
        self._arrivals = 0
        self._kind = "busy"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        busy, faulty, hung = self._shares
        index = index_of(transport.get_extra_info("sockname")[0])
        place = index % 100
        self._kind = "busy" if place < busy else "idle"
        if place >= 100 - faulty:
            self._kind = "faulty"
        elif place >= 100 - faulty - hung:
            self._kind = "hung"
        self._boot = f"{index:08x}"

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            if self._kind == "hung":
                continue
            self._arrivals += self._kind == "busy"
            body = b'{"v":1,' if self._kind == "faulty" else self._load()
            self._transport.write(_HEAD % len(body) + body)

    def _load(self) -> bytes:
        in_flight = 3 if self._kind == "busy" else 0
        return json.dumps(
            {
                "v": 1, "boot": self._boot, "age_s": 86400.5, "phase": "ready", "gate": "open", "asleep": False,
                "in_flight": in_flight, "waiting": 0, "running": in_flight, "queued": 0, "kv": 0.3125, "preemptions": 0,
                "arrivals": self._arrivals, "finished": max(0, self._arrivals - 3), "failed": 0, "refused": 0,
                "prompt_tokens": 512 * self._arrivals, "output_tokens": 128 * self._arrivals, "counted": "usage",
                "ttft": [self._arrivals, 0.25 * self._arrivals], "itl": [127 * self._arrivals, 2.5 * self._arrivals],
                "engine_age_s": 0.5,
            },
            separators=(",", ":"),
        ).encode()  # fmt: skip


async def serve(busy: int, faulty: int, hung: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Replica, busy, faulty, hung), "0.0.0.0", 0, backlog=4096)  # noqa: S104
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
