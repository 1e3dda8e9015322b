"""Numbers and names in sentences for people, and the verbs that go with them."""

from collections.abc import Sequence


def counted(number: int, noun: str, *verbs: str) -> str:
    """`1 replica`, `1,200 requests`; with the verb for one and that for several: `1 replica waits`."""
    return _with_verb(f"{number:,} {noun}{'' if number == 1 else 's'}", number, verbs)


def share(number: int, whole: int, noun: str, *verbs: str) -> str:
    """`1 of 2 replicas`, `1 of 1 replica takes`: the part that is meant governs the verb."""
    return _with_verb(f"{number:,} of {counted(whole, noun)}", number, verbs)


def listed(names: Sequence[str], most: int = 3) -> str:
    """a, b, c and 4 more."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def verb(number: int, one: str, several: str) -> str:
    return one if number == 1 else several


def _with_verb(what: str, number: int, verbs: tuple[str, ...]) -> str:
    return f"{what} {verb(number, *verbs)}" if verbs else what
