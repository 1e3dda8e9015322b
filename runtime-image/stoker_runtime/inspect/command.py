"""`python -m stoker_runtime inspect`: says what the model of STOKER_TASK is, without fetching it."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stoker_runtime.facts import Format
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Source, Web
from stoker_runtime.inspect.archive_reading import ArchiveReading, archive_members
from stoker_runtime.inspect.folder_name import folder_name
from stoker_runtime.inspect.inspection import inspect
from stoker_runtime.inspect.reading import FolderReading, Reading, RemoteReading
from stoker_runtime.inspect.result import bad, good
from stoker_runtime.inspect.task import InspectTask
from stoker_runtime.task_fields import VARIABLE, TaskError

_RETRYABLE, _WRONG_TASK, _FINAL = 1, 2, 3
_MAY_GO_BETTER = frozenset({Reason.UNREACHABLE, Reason.BUSY})


@dataclass(frozen=True)
class Opened:
    """A revision of a source, and how to read the files of it that are wanted."""

    revision: str
    files: Sequence[RemoteFile]
    reading: Reading
    close: Callable[[], None] = lambda: None


Opening = Callable[[InspectTask, Mapping[str, str], Path | None], Opened]


def main(arguments: list[str], opening: Opening | None = None) -> int:
    options = _options(arguments)
    try:
        task = InspectTask.from_json(os.environ.get(VARIABLE, ""))
        code, text = _run(task, options, opening or open_task)
    except TaskError as error:
        code, text = _WRONG_TASK, bad("InvalidTask", str(error))
    if code:
        print(f"inspect: {text}", file=sys.stderr, flush=True)
    else:
        print(text, flush=True)
    try:
        options.result.write_text(text)
    except OSError as error:
        print(f"inspect: the result cannot be written to {options.result}: {error.strerror}", file=sys.stderr)
    return code


def open_task(task: InspectTask, environment: Mapping[str, str], mounted: Path | None) -> Opened:
    """Asks the source for its revision and its files."""
    # The clients of some stores are large, and are loaded only where they are needed.
    from stoker_runtime.fetch.hosts import allowed_hosts, named_hosts  # noqa: PLC0415
    from stoker_runtime.fetch.sources.open_source import open_source  # noqa: PLC0415
    from stoker_runtime.fetch.web import HttpWeb  # noqa: PLC0415

    web = HttpWeb(named_hosts(task.source, environment), allowed_hosts(environment))
    try:
        source = open_source(task.source, web, environment, mounted)
        revision = source.resolve()
        files, reading = _chosen(task, source, web, revision)
    except BaseException:
        web.close()
        raise
    return Opened(revision, files, reading, web.close)


def _chosen(task: InspectTask, source: Source, web: Web, revision: str) -> tuple[Sequence[RemoteFile], Reading]:
    from stoker_runtime.fetch.sources.claim import ClaimSource  # noqa: PLC0415
    from stoker_runtime.fetch.sources.layers import Unpacked  # noqa: PLC0415
    from stoker_runtime.fetch.sources.registry import RegistrySource  # noqa: PLC0415
    from stoker_runtime.fetch.sources.selection import Wanted, select  # noqa: PLC0415

    wanted = Wanted(task.formats, task.include, task.exclude, task.allow_pickle, task.allow_code)
    listed = source.files(revision)
    if isinstance(source, ClaimSource):
        check_published(source.where(RemoteFile("manifest.json")).parent)
        files = select(listed, wanted)
        return files, FolderReading({file.path: source.where(file) for file in files})
    ways = {file.path: source.publication(file) for file in listed} if isinstance(source, RegistrySource) else {}
    prefixes = {path: way.prefix for path, way in ways.items() if isinstance(way, Unpacked)}
    if not prefixes:
        files = select(listed, wanted)
        return files, RemoteReading(source, web, revision, files)
    remote = RemoteReading(source, web, revision, listed)
    members = archive_members(remote, prefixes)
    files = select([RemoteFile(path, member.size_bytes) for path, member in members.items()], wanted)
    return files, ArchiveReading(remote, {file.path: members[file.path] for file in files})


def check_published(folder: Path) -> None:
    """A folder that Stoker published must still be what it was; of any other its headers alone can tell."""
    from stoker_runtime.fetch.manifest import damage, read_manifest  # noqa: PLC0415

    manifest = read_manifest(folder)
    found = damage(folder, manifest) if manifest is not None else None
    if found is not None:
        raise WeightsError(Reason.SIZE_MISMATCH, f"{folder.name}/manifest.json: {found}: fetch the model again")


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stoker_runtime inspect", description=f"Inspect what {VARIABLE} names.")
    parser.add_argument(
        "--result", type=Path, default=Path("/dev/termination-log"), help="the file that is told what was found"
    )
    parser.add_argument("--mounted", type=Path, help="where the claim of a pvc:// source is mounted")
    parser.add_argument("--config-only", action="store_true", help="read the configuration, and no header")
    return parser.parse_args(arguments)


def _run(task: InspectTask, options: argparse.Namespace, opening: Opening) -> tuple[int, str]:
    try:
        opened = opening(task, os.environ, options.mounted)
        try:
            return 0, _answer(task, opened, options.config_only)
        finally:
            opened.close()
    except WeightsError as error:
        return (_RETRYABLE if error.reason in _MAY_GO_BETTER else _FINAL), bad(error.reason, error.message)
    except Exception as error:  # noqa: BLE001 - its message may hold what must not be told
        found = f"{type(error).__name__} at {_place(error)}: the next try may go better"
        return _RETRYABLE, bad("Unexpected", found)


def _answer(task: InspectTask, opened: Opened, config_only: bool) -> str:
    facts = inspect(opened.reading, config_only=config_only)
    total_bytes = sum(file.size_bytes or opened.reading.size(file.path) or 0 for file in opened.files)
    folder = folder_name(task.source, opened.revision, (file.path for file in opened.files))
    # Engines take a GGUF by its name, and a folder of anything else.
    names = [file.path for file in opened.files if file.path.lower().endswith(".gguf")]
    told = names if facts.format is Format.GGUF else ()
    return good(opened.revision, folder, (total_bytes, len(opened.files)), facts, told)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "an unknown place"
