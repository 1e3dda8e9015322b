"""JSON out of files that nobody vouches for."""

import json
from collections.abc import Mapping
from typing import Any

from stoker_runtime.inspect.unreadable import shown, unreadable


def read_object(data: bytes, file: str) -> Mapping[str, Any]:
    """A JSON object, or WeightsError that names the file."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise unreadable(file, f"not JSON ({_said(error)}), starts with {shown(data[:24])}") from error
    if not isinstance(value, dict):
        raise unreadable(file, f"not a JSON object, but {shown(value)}")
    return value


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else "numbers or nesting beyond reason"
