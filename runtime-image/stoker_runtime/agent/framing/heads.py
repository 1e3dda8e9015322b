"""Where a head ends in what came so far."""

import re

from stoker_runtime.agent.framing.unreadable import UnreadableError

_END = b"\r\n\r\n"
_BARE = re.compile(rb"(?<!\r)\n")  # else such a head would never end


def head_end(buffer: bytearray, looked_at: int, most_bytes: int) -> int:
    """Behind the empty line, or -1 while it is missing. `looked_at` bytes were there at the last call."""
    start = max(0, looked_at - len(_END))
    found = buffer.find(_END, start)
    end = found + len(_END) if found >= 0 else -1
    if (len(buffer) if end < 0 else end) > most_bytes:
        raise UnreadableError(431, f"the head of the message is larger than {most_bytes} bytes")
    if _BARE.search(buffer, start, len(buffer) if end < 0 else end) is not None:
        raise UnreadableError(400, "a line of the head ends in LF alone: end lines in CR LF")
    return end
