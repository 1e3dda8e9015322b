"""The real Web, sent to loopback in place of the hosts that a source names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.patience import Times
from stoker_runtime.fetch.source import RemoteFile, Reply, Request, Source
from stoker_runtime.fetch.web import HttpWeb

PROMPT = Times(
    connect_seconds=2.0,
    stall_seconds=0.5,
    patience_seconds=0.5,
    first_wait_seconds=0.002,
    longest_wait_seconds=0.01,
    longest_told_seconds=0.01,
)


@dataclass
class Directed:
    """`elsewhere` says which origin stands for which. Keeps what was asked."""

    elsewhere: Mapping[str, str] = field(default_factory=dict)
    asked: list[tuple[str, Request]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._web = HttpWeb(frozenset({"127.0.0.1"}), times=PROMPT, environment={})

    def ask(self, request: Request, *, method: str = "GET", most_bytes: int = 64 << 20) -> Reply:
        return self._web.ask(self._directed(method, request), method=method, most_bytes=most_bytes)

    def size(self, request: Request) -> int | None:
        return self._web.size(self._directed("SIZE", request))

    def part(self, request: Request, first: int, end: int) -> bytes:
        return self._web.part(self._directed("PART", request), first, end)

    def __enter__(self) -> "Directed":
        return self

    def __exit__(self, *_: object) -> None:
        self._web.close()

    def _directed(self, method: str, request: Request) -> Request:
        self.asked.append((method, request))
        for origin, other in self.elsewhere.items():
            if request.url.startswith(f"{origin}/"):
                return replace(request, url=other + request.url.removeprefix(origin))
        return request


def listed(source: Source) -> dict[str, RemoteFile]:
    """The files of the revision now, by path."""
    return {file.path: file for file in source.files(source.resolve())}


def content(web: Directed, source: Source, path: str) -> bytes:
    """All bytes of one file, in two parts."""
    revision = source.resolve()
    file = next(file for file in source.files(revision) if file.path == path)
    size = file.size_bytes if file.size_bytes is not None else web.size(source.request(revision, file))
    assert size is not None
    half = size // 2
    request = source.request(revision, file)
    return web.part(request, 0, half) + web.part(request, half, size)


class Refusal:
    """`with Refusal(REASON) as refusal:` and then `refusal.message`."""

    def __init__(self, reason: Reason) -> None:
        self._raised = pytest.raises(WeightsError)
        self._reason = reason

    def __enter__(self) -> "Refusal":
        self._info = self._raised.__enter__()
        return self

    def __exit__(self, *error: object) -> bool:
        raised = bool(self._raised.__exit__(*error))  # type: ignore[arg-type]
        assert self._info.value.reason is self._reason, self._info.value.message
        return raised

    @property
    def message(self) -> str:
        return self._info.value.message
