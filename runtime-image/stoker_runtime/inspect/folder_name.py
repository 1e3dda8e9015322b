"""The name under which a revision's files lie on the volume: the same files of the same revision, the same name.

SOURCE - first 12 of the revision - 8 of a hash over all of it
"""

import hashlib
import json
import re
from collections.abc import Iterable

_MOST = 120
_REVISION_LETTERS, _HASH_LETTERS = 12, 8


def folder_name(source: str, revision: str, paths: Iterable[str]) -> str:
    """Readable, safe as a file name, at most 120 letters."""
    whole = json.dumps([source, revision, sorted(paths)], separators=(",", ":"))
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH_LETTERS]
    end = f"-{_safe(revision)[:_REVISION_LETTERS].strip('-.')}-{digest}"
    # What follows @, ? or # is the revision, or may hold a secret.
    place = re.split(r"[@?#]", source, maxsplit=1)[0]
    return (_safe(place)[: _MOST - len(end)].rstrip("-.") or "model") + end


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")
