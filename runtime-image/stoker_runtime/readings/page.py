"""A page in Prometheus' text format, searched for a few names. It is 60 kB of text of which a dozen lines matter, so
it is not taken apart line by line."""

import re

# After a name: labels, a value that is a number of at least 0, perhaps a time, perhaps an exemplar, the end of the
# line. NaN, infinities, negative and torn numbers do not match.
_SAMPLE = re.compile(
    rb'[ \t]*(?:\{(?:[^"{}\n]|"(?:[^"\\\n]|\\[^\n])*")*\}[ \t]*|(?<=[ \t]))'
    rb"\+?([0-9][0-9.]*(?:[eE][+-]?[0-9]+)?)"
    rb"(?:[ \t]+-?[0-9.]+)?[ \t]*(?:#[^\n]*)?\r?\n"
)
_ENDS_A_NAME = b"{ \t"
_MOST = 1e18  # more is no count of anything


class Page:
    __slots__ = ("_tail", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = b"\n" + text
        # Of a page that was cut off, the last line is in parts, and so may be the family that it belongs to.
        tail = text[text.rfind(b"\n") + 1 :]
        self._tail = b"" if tail.startswith(b"#") else tail

    def values(self, name: bytes, family: bytes = b"") -> list[float] | None:
        """One for each set of labels; None: the name is not there. Empty: one of its values cannot be trusted, and a
        sum without it would be too small. `family` is what the names of a histogram have in common."""
        at = self._next(name, 0)
        if at < 0:
            return None
        found: list[float] = []
        if self._torn(family or name):
            return found
        while at >= 0:
            sample = _SAMPLE.match(self._text, at)
            if sample is None:
                return []
            value = _number(sample[1])
            if value is None:
                return []
            found.append(value)
            at = self._next(name, sample.end() - 1)
        return found

    def _next(self, name: bytes, start: int) -> int:
        """Where the name of a sample ends; -1: there is none."""
        text, line = self._text, b"\n" + name
        at = text.find(line, start)
        while at >= 0:
            end = at + len(line)
            if text[end : end + 1] and text[end : end + 1] in _ENDS_A_NAME:
                return end
            at = text.find(line, end)
        return -1

    def _torn(self, family: bytes) -> bool:
        return bool(self._tail) and (self._tail.startswith(family) or family.startswith(self._tail))


def _number(text: bytes) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value < _MOST else None
