"""Whom a log line is about: set once where a look begins, and added to every line that is written during it."""

from collections.abc import Mapping
from contextvars import ContextVar
from itertools import count
from types import MappingProxyType

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))
_numbers = count(1)


def looks_at(namespace: str, model: str) -> None:
    """For what this task logs from now on. Looks are numbered from the operator's start."""
    _about.set({"namespace": namespace, "model": model, "reconcile": str(next(_numbers))})


def about() -> Mapping[str, str]:
    return _about.get()
