"""How far long work is, on one line of a terminal that is written over; nowhere else."""

import sys

from stoker.cli.paint import is_terminal

_WIDTH = 24


class ProgressLine:
    """Stands on standard error, so that what is printed can be piped."""

    def __init__(self) -> None:
        self._on = is_terminal(sys.stderr)
        self._shown = ""

    def show(self, share: float, text: str) -> None:
        line = line_of(share, text)
        if self._on and line != self._shown:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
            self._shown = line

    def clear(self) -> None:
        if self._on and self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = ""


def line_of(share: float, text: str) -> str:
    share = min(max(share, 0.0), 1.0)
    filled = round(_WIDTH * share)
    return f"[{'█' * filled}{'░' * (_WIDTH - filled)}] {100 * share:3.0f} % {text}"
