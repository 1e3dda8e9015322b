"""One page of a LIST, decoded object by object.

Decoded whole, a page takes about seven times the memory of its text, and what is kept of its objects lies scattered
between what is forgotten, so that none of it goes back to the system.
"""

import json
import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

_DECODER = json.JSONDecoder()
# Kinds of Kubernetes have `metadata` before it and custom ones after it; neither has any other list before it.
_ITEMS = re.compile(r'"items":\s*\[\s*')
_BETWEEN = re.compile(r"\s*([,\]])\s*")


def take_items(raw: bytes, take: Callable[[Json], object]) -> Json:
    """Each object of the page is handed on, and the rest of the page is returned. ValueError: it is not JSON."""
    text = raw.decode()
    begin = _ITEMS.search(text)
    if begin is None:
        return _object(json.loads(text))
    at = begin.end()
    if text.startswith("]", at):
        return _object(json.loads(text))
    while True:
        item, at = _DECODER.raw_decode(text, at)
        take(_object(item))
        between = _BETWEEN.match(text, at)
        if between is None:
            raise ValueError(f"neither another object nor the end of the list at {at}")
        at = between.end()
        if between[1] == "]":
            return _object(json.loads(text[: begin.start()] + '"items":[]' + text[at:]))


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise ValueError(f"no JSON object but {str(value)[:80]!r}")  # noqa: TRY004 - as for any other text
    return value
