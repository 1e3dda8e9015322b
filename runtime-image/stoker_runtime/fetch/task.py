"""What one run is to fetch, as the operator gives it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stoker_runtime.facts import Format

VARIABLE = "STOKER_TASK"
_ENDPOINTS = (
    "HF_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "STORAGE_EMULATOR_HOST",
    "AZURE_STORAGE_ENDPOINT",
    "STOKER_SOURCE_ENDPOINT",
)
ALLOWED_HOSTS = "STOKER_ALLOWED_HOSTS"


class TaskError(Exception):
    """The task cannot be read."""


@dataclass(frozen=True)
class Task:
    """One revision of one source for one owner."""

    source: str
    folder: str
    owner: str
    revision: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("safetensors",)
    allow_pickle: bool = False
    allow_code: bool = False
    keep: tuple[str, ...] = ()
    total_bytes: int | None = None

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            given = json.loads(text)
        except ValueError as error:
            raise TaskError(f"{VARIABLE} is no JSON: {error}") from None
        if not isinstance(given, dict):
            raise TaskError(f"{VARIABLE} is a {type(given).__name__}: it must be an object")
        return cls(
            source=_text(given, "source"),
            folder=_text(given, "folder"),
            owner=_text(given, "owner"),
            revision=_text(given, "revision") if given.get("revision") is not None else None,
            include=_texts(given, "include", ()),
            exclude=_texts(given, "exclude", ()),
            formats=_formats(given),
            allow_pickle=_yes(given, "allowPickle"),
            allow_code=_yes(given, "allowCode"),
            keep=_texts(given, "keep", ()),
            total_bytes=_count(given, "totalBytes"),
        )


def named_hosts(source: str, environment: Mapping[str, str]) -> frozenset[str]:
    """The hosts that the source itself or its configured endpoint names: they may be inside of the cluster."""
    scheme, _, rest = source.partition("://")
    first, slash, _ = rest.partition("/")
    named = [first] if scheme in ("https", "http", "oci") or (scheme == "ollama" and slash) else []
    named += [environment.get(name, "").partition("://")[2] or environment.get(name, "") for name in _ENDPOINTS]
    return frozenset(host for name in named if (host := _host(name)))


def allowed_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """Hosts that may have private addresses, by whoever runs the cluster."""
    return frozenset(host for name in environment.get(ALLOWED_HOSTS, "").split(",") if (host := name.strip().lower()))


def _host(authority: str) -> str:
    host = authority.partition("/")[0].partition("?")[0].rpartition("@")[2].lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _text(given: Mapping[str, Any], field: str) -> str:
    value = given.get(field)
    if not isinstance(value, str) or not value:
        raise TaskError(f"{VARIABLE}: {field} is {value!r}: it must be a text that is not empty")
    return value


def _texts(given: Mapping[str, Any], field: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = given.get(field)
    if value is None:
        return default
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TaskError(f"{VARIABLE}: {field} is {value!r}: it must be a list of texts")
    return tuple(value)


def _formats(given: Mapping[str, Any]) -> tuple[str, ...]:
    found = _texts(given, "formats", ("safetensors",))
    unknown = sorted(set(found) - set(Format))
    if unknown:
        raise TaskError(f"{VARIABLE}: formats has {unknown[0]!r}: it must be one of {', '.join(Format)}")
    return found


def _yes(given: Mapping[str, Any], field: str) -> bool:
    value = given.get(field, False)
    if not isinstance(value, bool):
        raise TaskError(f"{VARIABLE}: {field} is {value!r}: it must be true or false")
    return value


def _count(given: Mapping[str, Any], field: str) -> int | None:
    value = given.get(field)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise TaskError(f"{VARIABLE}: {field} is {value!r}: it must be a number of bytes")
    return value
