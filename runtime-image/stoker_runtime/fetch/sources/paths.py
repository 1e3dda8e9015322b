"""Which paths may be written below a folder, on any volume."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.sources.listing import check_length

MOST_FILE_BYTES = 16 << 40
_MOST_PART_BYTES = 255
_MOST_PATH_BYTES = 2048
_OURS = ".stoker"


def path_problem(path: str) -> str | None:
    """Why a path is refused, or None."""
    try:
        parts = [part.encode() for part in path.split("/")]
    except UnicodeEncodeError:
        return "is not text"
    problems = {
        "is empty": not path,
        "is absolute": path.startswith("/"),
        "climbs": any(part in {b"..", b"."} for part in parts),
        "has an empty part": b"" in parts,
        "has a backslash": "\\" in path,
        "has a control character": any(unicodedata.category(letter) in {"Cc", "Zl", "Zp"} for letter in path),
        f"has a part of more than {_MOST_PART_BYTES} bytes": any(len(part) > _MOST_PART_BYTES for part in parts),
        f"has more than {_MOST_PATH_BYTES:,} bytes": sum(map(len, parts)) + len(parts) > _MOST_PATH_BYTES,
        f"starts with {_OURS}, which is Stoker's own": path.lower().startswith(_OURS),
    }
    return next((problem for problem, found in problems.items() if found), None)


def check_listing(files: Sequence[RemoteFile]) -> None:
    """Nothing that no honest source lists, whether it is wanted or not."""
    check_length("the source", len(files))
    for file in files:
        problem = path_problem(file.path)
        if problem:
            raise _unsafe(f"the path {file.path[:120]!r}, which {problem}")
        if file.size_bytes is not None and not 0 <= file.size_bytes <= MOST_FILE_BYTES:
            raise _unsafe(f"{file.path!r} with {file.size_bytes:,} bytes")


def check_collisions(paths: Iterable[str]) -> None:
    """Some volumes know no case, and none has a file and a folder of one name."""
    files: dict[str, str] = {}
    for path in paths:
        if (folded := _folded(path)) in files:
            raise _unsafe(f"{files[folded]!r} and {path!r}, which some volumes cannot tell apart")
        files[folded] = path
    for folded, path in files.items():
        for parent in list(accumulate(folded.split("/"), "{}/{}".format))[:-1]:
            if parent in files:
                raise _unsafe(f"{files[parent]!r} as a file and, for {path!r}, as a folder")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _unsafe(found: str) -> WeightsError:
    return WeightsError(Reason.UNSAFE_SOURCE, f"the source lists {found}: rename it there, or choose another source")
