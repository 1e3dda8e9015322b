"""What every reader here raises, and nothing else."""

from stoker_runtime.failure import Reason, WeightsError


def unreadable(file: str, found: str, remedy: str = "fetch it again, or ask its publisher") -> WeightsError:
    """A final failure: the same bytes would read the same way again."""
    return WeightsError(Reason.UNREADABLE, f"{file}: {found}: {remedy}")


def shown(value: object, most: int = 80) -> str:
    """A value out of a file that nobody vouches for, short and on one line."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
