"""`python -m stoker_runtime fetch`: fetches what STOKER_TASK names, tells how far it is, and how it ended."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.fetching import Fetching, Limits
from stoker_runtime.fetch.hosts import allowed_hosts, named_hosts
from stoker_runtime.fetch.patience import Stopped
from stoker_runtime.fetch.source import RemoteFile, Source
from stoker_runtime.fetch.task import Task
from stoker_runtime.fetch.unpacking import Select
from stoker_runtime.fetch.volume import Volume
from stoker_runtime.fetch.web import HttpWeb
from stoker_runtime.task_fields import VARIABLE, TaskError

MOST_RESULT_BYTES = 4000
_LINE_EVERY_SECONDS = 2.0
_RETRYABLE, _FINAL, _WRONG_TASK = 1, 3, 2
_STOPPED = 128 + signal.SIGTERM
_MAY_GO_BETTER = frozenset({Reason.UNREACHABLE, Reason.BUSY})


@dataclass(frozen=True)
class Opened:
    """A source, which of its files are wanted, and which of them are archives."""

    source: Source
    select: Select
    unpacked: Callable[[RemoteFile], str | None] = lambda _: None


Opening = Callable[[Task, HttpWeb, Mapping[str, str]], Opened]


def main(arguments: list[str], opening: Opening | None = None, limits: Limits | None = None) -> int:
    options = _options(arguments)
    began = time.monotonic()
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        code, result = _run(options, opening or open_task, limits or Limits(), stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if result.get("ok"):
        result["seconds"] = round(time.monotonic() - began, 1)
    if stop.is_set() and code:
        code, result = _STOPPED, {}
    else:
        _write(options.result, result)
    if "message" in result:
        print(f"fetch: {result['reason']}: {result['message']}", file=sys.stderr, flush=True)
    return code


def open_task(task: Task, web: HttpWeb, environment: Mapping[str, str]) -> Opened:
    """The source of a task, and which of its files are wanted."""
    # The clients of some stores are large, and are loaded only where they are needed.
    from stoker_runtime.fetch.sources.layers import Unpacked  # noqa: PLC0415
    from stoker_runtime.fetch.sources.open_source import open_source  # noqa: PLC0415
    from stoker_runtime.fetch.sources.registry import RegistrySource  # noqa: PLC0415
    from stoker_runtime.fetch.sources.selection import Wanted, select  # noqa: PLC0415

    wanted = Wanted(task.formats, task.include, task.exclude, task.allow_pickle, task.allow_code)
    source = open_source(task.source, web, environment, None)

    def prefix_of(file: RemoteFile) -> str | None:
        how = source.publication(file) if isinstance(source, RegistrySource) else None
        return how.prefix if isinstance(how, Unpacked) else None

    return Opened(source, lambda files: select(files, wanted), prefix_of)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stoker_runtime fetch", description=f"Fetch what {VARIABLE} names.")
    parser.add_argument("--root", type=Path, default=Path("/models"), help="where the volume is mounted")
    parser.add_argument(
        "--result", type=Path, default=Path("/dev/termination-log"), help="the file that is told how it ended"
    )
    parser.add_argument("--verify", action="store_true", help="digest what is published already, not only its sizes")
    return parser.parse_args(arguments)


def _run(
    options: argparse.Namespace, opening: Opening, limits: Limits, stop: threading.Event
) -> tuple[int, dict[str, Any]]:
    try:
        task = Task.from_json(os.environ.get(VARIABLE, ""))
    except TaskError as error:
        return _WRONG_TASK, _failed("InvalidTask", str(error))
    web = HttpWeb(named_hosts(task.source, os.environ), allowed_hosts(os.environ), stop=stop)
    waker = threading.Thread(target=_close_when_told, args=(web, stop), daemon=True)
    waker.start()
    try:
        opened = opening(task, web, os.environ)
        volume = Volume(options.root)
        fetching = Fetching(task, volume, opened.source, opened.select, web, limits, opened.unpacked)
        with _Lines(fetching):
            fetched = fetching.run(options.verify)
        fetching.close()
    except WeightsError as error:
        return (_RETRYABLE if error.reason in _MAY_GO_BETTER else _FINAL), _failed(error.reason, error.message)
    except Stopped:
        return _STOPPED, {}
    except Exception as error:  # noqa: BLE001 - its message may hold what must not be told
        return _RETRYABLE, _failed(
            "Unexpected", f"{type(error).__name__} at {_place(error)}: the next try may go better"
        )
    return 0, {
        "ok": True,
        "folder": task.folder,
        "revision": fetched.revision,
        "bytes": fetched.total_bytes,
        "files": fetched.file_count,
        "fetchedBytes": fetched.fetched_bytes,
    }


def _close_when_told(web: HttpWeb, stop: threading.Event) -> None:
    stop.wait()
    web.close()


class _Lines:
    """Every two seconds a line on stdout, and one at the end."""

    def __init__(self, fetching: Fetching) -> None:
        self._progress = fetching.progress
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._print, daemon=True)

    def __enter__(self) -> None:
        self._progress.line()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        print(self._progress.line(), flush=True)

    def _print(self) -> None:
        while not self._ended.wait(_LINE_EVERY_SECONDS):
            print(self._progress.line(), flush=True)


def _failed(reason: str, message: str) -> dict[str, Any]:
    return {"ok": False, "reason": str(reason), "message": message}


def _write(path: Path, result: dict[str, Any]) -> None:
    """In place: a termination log is a mounted file, which cannot be replaced."""
    text = json.dumps(result)
    if len(text) > MOST_RESULT_BYTES and "message" in result:
        # ASCII only, so that a letter never takes more than its escape.
        room = (MOST_RESULT_BYTES - len(text) + len(json.dumps(result["message"]))) // 6 - 2
        text = json.dumps({**result, "message": result["message"][:room]})
    try:
        path.write_text(text)
    except OSError as error:
        print(f"fetch: the result cannot be written to {path}: {error.strerror}", file=sys.stderr)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "an unknown place"
