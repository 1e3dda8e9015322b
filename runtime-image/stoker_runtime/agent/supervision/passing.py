"""What the engine writes, passed on to where the agent writes."""

import os
from collections.abc import Callable
from threading import Thread

_READ_BYTES = 65_536


class Passing(Thread):
    """A thread for each stream: a full pipe of the container runtime must hold up the engine, and not the agent."""

    def __init__(self, source: int, target: int, seen: Callable[[bytes], object]) -> None:
        super().__init__(name=f"passing-{target}", daemon=True)
        self._source = source
        self._target: int | None = target
        self._seen = seen

    def run(self) -> None:
        while output := self._read():
            self._seen(output)
            self._write(output)
        os.close(self._source)

    def _read(self) -> bytes:
        try:
            return os.read(self._source, _READ_BYTES)
        except OSError:
            return b""

    def _write(self, output: bytes) -> None:
        while output and self._target is not None:
            try:
                output = output[os.write(self._target, output) :]
            except OSError:
                self._target = None  # nobody listens any more, and the engine must not stop for that
