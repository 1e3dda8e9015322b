"""`python -m bench.agent.streamer`: an engine that only streams, all streams in one step, as a batching engine does.

`POST /v1/stream/COUNT` answers with COUNT chunks, one at once and one a step; 0 means until the client leaves.
Everything else is a probe and gets an empty answer.
"""

import argparse
import asyncio
from typing import cast

from stoker_runtime.agent.event_loop import new_event_loop

_EVENT = (
    b'data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"m","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}\n\n'
)
_CHUNK = b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Stream(asyncio.Protocol):
    """Expects what the load sends: a head and a body of a length."""

    def __init__(self, running: "set[Stream]") -> None:
        self._running = running
        self._buffer = b""
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and not head.startswith(b"POST "):
            self._buffer = body
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            return
        if not end or len(body) < int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]):
            return
        self._buffer = b""
        self._left = int(head.split(b" ", 2)[1].rsplit(b"/", 1)[1])
        self._transport.write(_HEAD)
        self._running.add(self)
        self.step()

    def step(self) -> None:
        self._left -= 1
        self._transport.write(_CHUNK if self._left else _CHUNK + b"0\r\n\r\n")
        if not self._left:
            self._running.discard(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._running.discard(self)


async def serve(step_seconds: float) -> None:
    running: set[Stream] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Stream(running), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    next_step = loop.time()
    while True:
        next_step = max(next_step + step_seconds, loop.time())
        await asyncio.sleep(next_step - loop.time())
        for stream in list(running):
            stream.step()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--step-ms", type=float, required=True)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(options.step_ms / 1000))


if __name__ == "__main__":
    main()
