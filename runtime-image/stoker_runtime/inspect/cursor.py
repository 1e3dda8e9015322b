"""Reads numbers off the start of a file of unknown header length, in parts, and never beyond a bound."""

import struct
from collections.abc import Callable

from stoker_runtime.inspect.unreadable import unreadable

Part = Callable[[int, int], bytes]  # the bytes from `first` up to, not including, `end`; fewer at the end of the file

_FIRST_PART_BYTES = 256 << 10
_MOST_PART_BYTES = 8 << 20
_SHOWN_TEXT_BYTES = 4 << 20


class Cursor:
    """Where a reader stands. Parts double, so that a short header costs little and a long one few questions."""

    def __init__(self, part: Part, file: str, most_bytes: int) -> None:
        self.file, self.position = file, 0
        self._part, self._most_bytes = part, most_bytes
        self._window, self._window_first, self._next_bytes = b"", 0, _FIRST_PART_BYTES

    def number(self, form: str) -> int | float:
        """One number of struct's form, little endian."""
        data = self.take(struct.calcsize(f"<{form}"))
        value: int | float = struct.unpack(f"<{form}", data)[0]
        return value

    def whole(self, form: str) -> int:
        return int(self.number(form))

    def text(self) -> str:
        """A length of 8 bytes, and so many bytes of text."""
        length = self.whole("Q")
        if length > _SHOWN_TEXT_BYTES:
            raise unreadable(self.file, f"a text of {length} bytes at byte {self.position}")
        return self.take(length).decode("utf-8", "replace")

    def skip_texts(self, count: int) -> None:
        for _ in range(count):
            length = self.whole("Q")
            self.skip(length)

    def skip(self, count: int) -> None:
        self._bounded(count)
        self.position += count

    def take(self, count: int) -> bytes:
        self._bounded(count)
        start = self.position - self._window_first
        if start < 0 or start + count > len(self._window):
            self._fetch(count)
            start = 0
        self.position += count
        return self._window[start : start + count]

    def _bounded(self, count: int) -> None:
        if count > self._most_bytes - self.position:
            raise unreadable(
                self.file,
                f"its header would go on to byte {self.position + count}, beyond all reason ({self._most_bytes})",
            )

    def _fetch(self, count: int) -> None:
        wanted = max(count, self._next_bytes)
        end = min(self.position + wanted, self._most_bytes)
        self._window, self._window_first = self._part(self.position, end), self.position
        self._next_bytes = min(2 * self._next_bytes, _MOST_PART_BYTES)
        if len(self._window) < count:
            raise unreadable(self.file, f"truncated: it ends at byte {self.position + len(self._window)} in its header")
