"""Addresses of requests: their parts, how they are shown, and where a redirect leads."""

from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urljoin, urlsplit

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import Request

MOST_REDIRECTS = 10
_DEFAULT_PORTS = {"http": 80, "https": 443}
# A header that is neither may hold a token.
_FOLLOWS_TO_ANOTHER_HOST = frozenset({"accept", "user-agent"})


@dataclass(frozen=True)
class Origin:
    """Whom a connection talks to."""

    scheme: str
    host: str
    port: int

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def origin_of(url: str) -> Origin:
    parts, port = _split(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise WeightsError(Reason.UNSAFE_SOURCE, f"{shown(url)} is no address of a web server: use https://HOST/PATH")
    return Origin(parts.scheme, parts.hostname.rstrip(".").lower(), port or _DEFAULT_PORTS[parts.scheme])


def target_of(url: str) -> str:
    """What stands in the request line."""
    parts, _ = _split(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def shown(url: str) -> str:
    """As it may stand in a message: without query and user, which hold signatures and passwords."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(an address that cannot be read)"
    text = f"{parts.scheme}://{host}{parts.path}"
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:400]


def redirected(request: Request, location: str) -> Request:
    """The request that a redirect asks for. Nothing that may hold a token goes to another host."""
    try:
        url = urljoin(request.url, location.strip())
    except ValueError:
        raise WeightsError(
            Reason.UNSAFE_SOURCE, f"{shown(request.url)} redirects to what cannot be read as an address"
        ) from None
    old, new = origin_of(request.url), origin_of(url)
    if old.is_secure and not new.is_secure:
        raise WeightsError(
            Reason.UNSAFE_SOURCE,
            f"{shown(request.url)} redirects to {shown(url)}, which is not encrypted: "
            "name a source that stays with https",
        )
    if old == new:
        return replace(request, url=url)
    kept = {name: value for name, value in request.headers.items() if name.lower() in _FOLLOWS_TO_ANOTHER_HOST}
    return Request(url, kept)


def _split(url: str) -> tuple[SplitResult, int | None]:
    unreadable = WeightsError(Reason.UNSAFE_SOURCE, f"{shown(url)} cannot be read as an address")
    if any(ord(letter) <= 0x20 or ord(letter) >= 0x7F for letter in url):
        raise unreadable
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise unreadable from None
    return parts, port
