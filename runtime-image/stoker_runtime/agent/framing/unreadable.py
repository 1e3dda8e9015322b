"""What ends a connection."""


class UnreadableError(Exception):
    """Where a message ends cannot be told any more, so nothing behind it may be read."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
