"""Where the tokens of one answer go: into a stream at once, or nowhere until the answer is whole."""

import asyncio

from stoker_runtime.simulated.chunks import ChoiceStream
from stoker_runtime.simulated.connection import Exchange
from stoker_runtime.simulated.words import Answer


class Whole:
    """Waits for the end. The text is made from the number of tokens then."""

    def __init__(self) -> None:
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def token(self, number: int) -> None:
        pass

    def ended(self, reason: str) -> None:
        # The client may have gone in the same moment.
        if not self.end.done():
            self.end.set_result(reason)


class Streamed(Whole):
    """Written from the engine's own task, so that a token wakes no other."""

    def __init__(self, exchange: Exchange, stream: ChoiceStream, answer: Answer) -> None:
        super().__init__()
        self._exchange = exchange
        self._stream = stream
        self._answer = answer
        self._sent = 0

    def token(self, number: int) -> None:
        piece = self._answer.piece(number - 1)
        opening = b"" if self._sent else self._stream.opening()
        self._sent = number
        # Tokens of a stop string are not shown.
        self._exchange.send(opening + (self._stream.piece(piece, number) if piece else b""))

    def ended(self, reason: str) -> None:
        opening = b"" if self._sent else self._stream.opening()
        cut = reason == "abort"
        generated = self._sent if cut else self._answer.tokens
        piece = "" if cut else self._answer.piece(self._answer.tokens - 1)
        self._exchange.send(opening + self._stream.closing(piece, generated, reason, self._answer.stop_reason))
        super().ended(reason)
