"""Asking a Prometheus, in a thread, until a deadline: its client blocks, and the operator's loop must not."""

import asyncio
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from stoker.signals.unreadable import UnreadableError

T = TypeVar("T")
MOST_ANSWER_BYTES = 32 << 20
_PIECE_BYTES = 1 << 16
_MOST_WARNINGS = 8


@dataclass(frozen=True)
class Access:
    """Where a Prometheus is, and as whom it is asked. Files are read anew for each query, since tokens change."""

    url: str
    bearer_token_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    """None: the authorities that the system trusts."""


class _Credentials(AuthBase):
    """Set here and not left out: without any, requests would look for a .netrc."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        access = self._access
        if access.bearer_token_file is not None:
            request.headers["Authorization"] = f"Bearer {_secret(access.bearer_token_file)}"
        elif access.password_file is not None:
            return HTTPBasicAuth(access.username.encode(), _secret(access.password_file).encode())(request)
        return request


def _secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise UnreadableError(f"the credentials in {path} cannot be read: {type(error).__name__}") from error
    if not secret or not secret.isprintable() or not secret.isascii():
        raise UnreadableError(f"the credentials in {path} are not one line of ASCII text")
    return secret


class _BoundedSession(requests.Session):
    """Reads answers whole, of a bounded size and until the deadline; goes nowhere else, so that no token does.

    The client tells of an answer only its result, so what Prometheus warns of is taken here.
    """

    def __init__(self, access: Access) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = True if access.ca_file is None else str(access.ca_file)
        self.deadline = 0.0
        self.warnings: list[str] = []

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"stream": True, "allow_redirects": False, "timeout": self._left_seconds()}
        # The client would have the query in the address, which proxies allow a few kilobytes only.
        kwargs |= {"params": None, "data": kwargs["params"]}
        response = super().request(*args, **kwargs)
        body = self._body(response)
        if b'"warnings"' in body:
            self._note_warnings(body)
        response.raw = io.BytesIO(body)
        return response

    def _body(self, response: requests.Response) -> bytes:
        pieces: list[bytes] = []
        size = 0
        with response:
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
                size += len(piece)
                if size > MOST_ANSWER_BYTES:
                    raise UnreadableError(f"the answer has more than {MOST_ANSWER_BYTES} bytes")
                pieces.append(piece)
                self._left_seconds()
        return b"".join(pieces)

    def _left_seconds(self) -> float:
        left_seconds = self.deadline - time.monotonic()
        if left_seconds <= 0:
            raise UnreadableError("the answer is not whole in time")
        return left_seconds

    def _note_warnings(self, body: bytes) -> None:
        said = json.loads(body)
        warnings = said.get("warnings") if isinstance(said, dict) else None
        if isinstance(warnings, list):
            self.warnings += [str(each)[:200] for each in warnings[:_MOST_WARNINGS]]


@dataclass
class Asker:
    """Used by one thread at a time."""

    access: Access
    _session: _BoundedSession = field(init=False)
    _client: PrometheusConnect = field(init=False)

    def __post_init__(self) -> None:
        self._session = _BoundedSession(self.access)
        self._client = PrometheusConnect(
            url=self.access.url.rstrip("/"),
            auth=_Credentials(self.access),
            session=self._session,
            retry=Retry(total=0),
            method="POST",
        )

    def begin(self, timeout_seconds: float) -> None:
        """A round of queries that has so much time."""
        self._session.deadline = time.monotonic() + timeout_seconds
        self._session.warnings = []

    @property
    def warnings(self) -> list[str]:
        return self._session.warnings

    def query(self, text: str, at_seconds: float | None) -> Any:
        """The result as Prometheus says it. Raises UnreadableError."""
        try:
            return self._client.custom_query(text, None if at_seconds is None else {"time": f"{at_seconds:.3f}"})
        except PrometheusApiClientException as error:
            raise UnreadableError(_sentence(error)) from error
        except (
            requests.RequestException,
            HTTPError,
            OSError,
            ValueError,
            LookupError,
            TypeError,
            RecursionError,
        ) as error:
            raise UnreadableError(f"{type(error).__name__}: {_sentence(_innermost(error))}") from error


def _innermost(error: BaseException) -> BaseException:
    """What the layers of the client have wrapped, with a whole query in the words of each."""
    for _ in range(5):
        inner = getattr(error, "reason", None) or next(iter(error.args), None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")


class Threads:
    """One piece of work at a time, each in a thread that is left behind when it is out of time."""

    MOST_LEFT_BEHIND = 2

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    async def run(self, work: Callable[[], T], timeout_seconds: float) -> T:
        """Raises TimeoutError, and what `work` raises."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) >= self.MOST_LEFT_BEHIND:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(result: T | None, error: BaseException | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        def run() -> None:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = work()
            except Exception as raised:  # noqa: BLE001 - it is raised in the loop
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, result, error)

        # A daemon: what hangs in it must not keep the operator from ending.
        thread = threading.Thread(target=run, name="prometheus", daemon=True)
        self._threads.append(thread)
        thread.start()
        return await asyncio.wait_for(done, timeout_seconds)
