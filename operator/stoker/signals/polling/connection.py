"""One connection to one replica, on which one question at a time is asked."""

import asyncio
from typing import Protocol

from stoker.signals.polling.answer import Answer, AnswerParser
from stoker.signals.unreadable import UnreadableError


class Asking(Protocol):
    """Who asked, and is told once for each question how it went."""

    def answered(self, answer: Answer) -> None: ...
    def unreadable(self, why: str) -> None: ...
    def cut(self, *, before_the_answer: bool) -> None: ...


class Connection(asyncio.Protocol):
    __slots__ = ("_asking", "_parser", "_transport", "_used", "is_open")

    def __init__(self, most_body_bytes: int) -> None:
        self._parser = AnswerParser(most_body_bytes)
        self._transport: asyncio.Transport | None = None
        self._asking: Asking | None = None
        self._used = False
        self.is_open = False

    @property
    def was_used(self) -> bool:
        """Whether it has answered before, so that its end may only mean that it waited for too long."""
        return self._used

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.is_open = True

    def ask(self, question: bytes, asking: Asking) -> None:
        self._asking = asking
        if self._transport is not None:
            self._transport.write(question)

    def close(self) -> None:
        """Nobody is told."""
        self._asking = None
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._asking is None:
            self.close()  # it speaks unasked
            return
        try:
            answer = self._parser.feed(data)
        except UnreadableError as error:
            asking, why = self._asking, str(error)
            self.close()
            asking.unreadable(why)
            return
        if answer is not None:
            self._done(answer)

    def connection_lost(self, _: Exception | None) -> None:
        self.is_open = False
        self._transport = None
        if self._asking is None:
            return
        answer = self._parser.ended()
        if answer is not None:
            self._done(answer)
            return
        asking, self._asking = self._asking, None
        asking.cut(before_the_answer=not self._parser.began)

    def _done(self, answer: Answer) -> None:
        asking, self._asking, self._used = self._asking, None, True
        if not answer.keep_alive or self._parser.surplus:
            self.close()
        if asking is not None:
            asking.answered(answer)
