"""Whether a transport is read, for more than one reason not to."""

import asyncio


class Reading:
    """Transports differ in what they say to being paused twice, or when they close."""

    __slots__ = ("_paused", "_reasons", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reasons: set[str] = set()
        self._paused = False

    @property
    def paused(self) -> bool:
        return self._paused

    def pause(self, reason: str) -> None:
        self._reasons.add(reason)
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self, reason: str) -> None:
        self._reasons.discard(reason)
        if self._paused and not self._reasons and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
