"""Which files of a listing are fetched: one weight format, whole, and the files that describe it. No I/O."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from stoker_runtime.facts import Format
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.sources.kinds import (
    Other,
    is_duplicate,
    is_weights_of_training,
    kind_of,
    shard_of,
    whole_of,
)
from stoker_runtime.fetch.sources.paths import check_collisions, check_listing

_PREFERRED = (Format.SAFETENSORS, Format.GGUF, Format.PICKLE)
_NAMES_SHOWN = 8


@dataclass(frozen=True)
class Wanted:
    """What the engine loads, and what the user chose and allowed."""

    formats: frozenset[Format]
    include: tuple[str, ...] = ()  # shell patterns; empty: what the engine loads
    exclude: tuple[str, ...] = ()  # wins over include
    allow_pickle: bool = False
    allow_code: bool = False


def select(files: Sequence[RemoteFile], wanted: Wanted) -> tuple[RemoteFile, ...]:
    """In the order of the listing. Raises WeightsError where nothing, too much or something unsafe would be left."""
    check_listing(files)
    left = [file for file in files if not _matches(file, wanted.exclude)]
    chosen = _named(left, wanted) if wanted.include else _usual(left, wanted)
    if not any(isinstance(_kind(file), Format) for file in chosen):
        raise _nothing(files, wanted)
    _check_whole(chosen)
    check_collisions(file.path for file in chosen)
    return tuple(chosen)


def _named(files: Iterable[RemoteFile], wanted: Wanted) -> list[RemoteFile]:
    chosen = [file for file in files if _matches(file, wanted.include)]
    for file in chosen:
        kind = _kind(file)
        if (kind is Format.PICKLE and not wanted.allow_pickle) or (kind is Other.CODE and not wanted.allow_code):
            raise WeightsError(
                Reason.UNSAFE_FORMAT,
                f"files.include names {file.path}, which is {kind} and can run anything on loading: choose"
                " *.safetensors or *.gguf, or set trustRemoteCode if the operator allows this source",
            )
    return chosen


def _usual(files: Sequence[RemoteFile], wanted: Wanted) -> list[RemoteFile]:
    weights = _weights(files, wanted)
    taken = {file.path for file in weights}
    with_weights = {Other.DESCRIPTION} | ({Other.CODE} if wanted.allow_code else set())
    return [file for file in files if file.path in taken or _kind(file) in with_weights] if weights else []


def _weights(files: Sequence[RemoteFile], wanted: Wanted) -> list[RemoteFile]:
    """The first format in the order of preference that the engine loads and that is there."""
    for format_ in _PREFERRED:
        found = [file for file in files if _kind(file) is format_ and not is_weights_of_training(file.path)]
        if format_ not in wanted.formats or not found:
            continue
        if format_ is Format.PICKLE and not wanted.allow_pickle:
            raise WeightsError(
                Reason.UNSAFE_FORMAT,
                f"the weights are there as pickle alone ({_shown(found)}), which can run anything on loading: choose a"
                " source with safetensors, or set trustRemoteCode if the operator allows this source",
            )
        if format_ is Format.GGUF:
            return _one_quantization(found) + _one_projector(files)
        return _without_duplicates(found)
    return []


def _without_duplicates(files: list[RemoteFile]) -> list[RemoteFile]:
    """Where consolidated files are all there is, they are the model."""
    return [file for file in files if not is_duplicate(file.path)] or files


def _one_quantization(files: list[RemoteFile]) -> list[RemoteFile]:
    bytes_of: Counter[str] = Counter()
    for file in files:
        bytes_of[whole_of(file.path)] += file.size_bytes or 0
    if len(bytes_of) > 1:
        choices = ", ".join(
            f"{name} ({size / 1e9:.1f} GB)" if size else name for name, size in sorted(bytes_of.items())
        )
        raise WeightsError(
            Reason.NO_WEIGHTS,
            f"there are {len(bytes_of)} GGUF models to choose from: name one in files.include, such as"
            f" {['*' + min(bytes_of).rpartition('/')[2]]}. There are {choices}",
        )
    return files


def _one_projector(files: Iterable[RemoteFile]) -> list[RemoteFile]:
    """They come in several precisions; half precision is what engines take."""
    found = sorted((file for file in files if _kind(file) is Other.PROJECTOR), key=lambda file: file.path)
    half = [file for file in found if "f16" in file.path.lower() and "bf16" not in file.path.lower()]
    return (half or found)[:1]


def _check_whole(files: Iterable[RemoteFile]) -> None:
    numbers: dict[tuple[str, int], set[int]] = defaultdict(set)
    for file in files:
        if shard := shard_of(file.path):
            numbers[shard[0], shard[2]].add(shard[1])
    for (whole, count), found in numbers.items():
        first = 0 if 0 in found else 1
        missing = sorted(set(range(first, first + count)) - found)
        if missing:
            raise WeightsError(
                Reason.NO_WEIGHTS,
                f"{whole} is in {count} parts, and number {missing[0]} is not there, the first of {len(missing)}"
                " missing: complete the source, or let files.include and files.exclude leave all parts",
            )


def _nothing(files: Sequence[RemoteFile], wanted: Wanted) -> WeightsError:
    formats = " or ".join(sorted(wanted.formats)) or "no format"
    patterns = (
        "of what files.include and files.exclude leave, nothing" if wanted.include + wanted.exclude else "nothing"
    )
    return WeightsError(
        Reason.NO_WEIGHTS,
        f"{patterns} holds weights that the engine loads, which is {formats}. There is {_shown(files) or 'no file'}:"
        " choose another source, engine or pattern",
    )


def _shown(files: Sequence[RemoteFile]) -> str:
    """The largest come first, since they are most likely what was meant."""
    ordered = sorted(files, key=lambda file: (-(file.size_bytes or 0), file.path))
    names = [file.path[:80] for file in ordered[:_NAMES_SHOWN]]
    more = len(files) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _matches(file: RemoteFile, patterns: Iterable[str]) -> bool:
    """A star also stands for slashes, and a folder for all in it."""
    return any(fnmatchcase(file.path, f"{pattern}*" if pattern.endswith("/") else pattern) for pattern in patterns)


def _kind(file: RemoteFile) -> Format | Other:
    return kind_of(file.path, file.size_bytes)
