"""What an answer may be refused for."""


class UnreadableError(Exception):
    """Says what was found in the answer instead of what was expected."""
