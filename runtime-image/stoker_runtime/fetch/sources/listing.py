"""What all places share that list files: a revision out of a listing, and a bound on its length."""

import hashlib
import json
import re
from collections.abc import Iterable

from stoker_runtime.failure import Reason, WeightsError

MOST_FILES = 20_000
_MOST_LABEL_CHARACTERS = 48


def fingerprint(entries: Iterable[tuple[object, ...]]) -> str:
    """40 hexadecimal digits over what identifies the files, in any order."""
    lines = sorted(json.dumps(entry) for entry in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:40]


def labelled(label: str | None, digits: str) -> str:
    """The user's label with a short hash, or the whole hash where there is no label."""
    if label is None:
        return digits
    return f"{safe_name(label)}-{digits[:12]}"


def safe_name(text: str) -> str:
    """A part of a file name that a person still recognizes."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip(".")[:_MOST_LABEL_CHARACTERS] or "label"


def check_length(place: str, count: int) -> None:
    """Called while pages still come, so that a listing without end is not read to it."""
    if count > MOST_FILES:
        raise WeightsError(
            Reason.UNSAFE_SOURCE,
            f"{place} lists more than {MOST_FILES:,} files, which is no model: name the folder of the model itself",
        )


def check_unchanged(place: str, wanted: str, found: str) -> None:
    """A revision that is gone cannot be fetched, and half of it must not be mixed with another."""
    if wanted != found:
        raise WeightsError(
            Reason.NOT_FOUND,
            f"{place} is not at revision {wanted} any more but at {found}: it was changed in between, fetch it anew",
        )
