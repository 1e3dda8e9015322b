"""What is known of the model that the user named: a folder here, or a source elsewhere, read by its headers alone."""

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from stoker.api.values.source import ModelSource
from stoker.cli.input_error import InputError
from stoker_runtime.facts import Facts, Format
from stoker_runtime.failure import WeightsError
from stoker_runtime.fetch.hosts import allowed_hosts, named_hosts
from stoker_runtime.fetch.patience import Interrupted, Times
from stoker_runtime.fetch.sources.open_source import open_source
from stoker_runtime.fetch.sources.selection import Wanted, select
from stoker_runtime.fetch.web import HttpWeb
from stoker_runtime.inspect.inspection import inspect
from stoker_runtime.inspect.reading import FolderReading, RemoteReading

# Somebody waits for the answer, so patience ends sooner than in a download.
PATIENCE = Times(stall_seconds=15.0, patience_seconds=10.0, longest_wait_seconds=5.0, longest_told_seconds=10.0)
_READS_GGUF = ("llamacpp", "ollama")


def facts_of(model: str, engine: str, include: tuple[str, ...], times: Times = PATIENCE) -> Facts:
    try:
        return _remote(model, engine, include, times) if "://" in model else inspect(_folder(model))
    except WeightsError as failed:
        raise InputError([f"{model}: {failed.reason}: {failed.message}"]) from failed


def _remote(model: str, engine: str, include: tuple[str, ...], times: Times) -> Facts:
    try:
        text = str(ModelSource.parse(model))
    except ValueError as wrong:
        raise InputError([f"{model}: {wrong}"]) from wrong
    if model.startswith("pvc://"):
        raise InputError([f"{model}: is a claim of a cluster: give the folder where it is mounted"])
    formats = {Format.GGUF} if engine in _READS_GGUF else {Format.SAFETENSORS, Format.GGUF}
    # Code of the repository is listed, never run.
    wanted = Wanted(frozenset(formats), include, allow_code=True)
    hosts = named_hosts(text, os.environ), allowed_hosts(os.environ)
    with closing(HttpWeb(*hosts, times=times, tell=_once(times))) as web:
        source = open_source(text, web, os.environ, None)
        revision = source.resolve()
        return inspect(RemoteReading(source, web, revision, select(source.files(revision), wanted)))


def _once(times: Times) -> Callable[[Interrupted], None]:
    """Says why nothing happens, the first time that it is so."""
    told = False

    def tell(why: Interrupted) -> None:
        nonlocal told
        if not told:
            print(f"{why}; trying again for {times.patience_seconds:.0f} s", file=sys.stderr, flush=True)
        told = True

    return tell


def _folder(name: str) -> FolderReading:
    folder = Path(name)
    if not folder.is_dir():
        raise InputError([f"{name}: is no folder: give one that holds a model, or a source such as hf://ORG/NAME"])
    try:
        return FolderReading.of(folder)
    except OSError as failed:
        raise InputError([f"{name}: cannot be read, {failed.strerror}: make it readable for this user"]) from failed
