"""A terminal whose picture is drawn anew every few seconds, by plain escape codes."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stoker.cli.numbers import seconds
from stoker.cli.paint import is_terminal

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _TO_LINE_END, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def add_interval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--interval", type=_seconds, default=2.0, metavar="SECONDS", help="between two looks (default: 2)"
    )


def width() -> int | None:
    """None: nobody looks at a terminal, so nothing has to be cut."""
    return _size()[0] if is_terminal() else None


@contextmanager
def whole_terminal() -> Iterator[None]:
    """Beside what was there, which comes back afterwards."""
    sys.stdout.write(_ENTER)
    try:
        yield
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()


def draw(text: str) -> None:
    """Over the last picture, so that nothing flickers; what does not fit below is left out."""
    lines = text.splitlines()[: _size()[1] - 1]
    sys.stdout.write(_HOME + "".join(f"{line}{_TO_LINE_END}\n" for line in lines) + _BELOW)
    sys.stdout.flush()


def _size() -> tuple[int, int]:
    import shutil  # noqa: PLC0415 - start-up must be quick

    size = shutil.get_terminal_size((120, 40))
    return size.columns, size.lines


def _seconds(text: str) -> float:
    return seconds(text, 0.2, 3600)
