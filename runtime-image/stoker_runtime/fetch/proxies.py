"""Which proxy a request goes through, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.urls import Origin


@dataclass(frozen=True)
class Proxy:
    """A proxy that the pod's owner configured."""

    host: str
    port: int
    authorization: str | None = None


def proxy_for(origin: Origin, environment: Mapping[str, str]) -> Proxy | None:
    """None: go there directly."""
    # The upper case HTTP_PROXY is only a danger to CGI programs.
    variable = f"{origin.scheme}_proxy"
    text = _setting(environment, variable) or _setting(environment, "all_proxy")
    if not text or _excepted(origin, _setting(environment, "no_proxy")):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or 80
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "http" or not parts.hostname:
        raise WeightsError(
            Reason.UNREACHABLE, f"{variable.upper()} names no proxy that can be used: write http://HOST:PORT"
        )
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return Proxy(parts.hostname, port, f"Basic {base64.b64encode(pair.encode()).decode()}" if pair else None)


def _setting(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.upper()) or "").strip()


def _excepted(origin: Origin, exceptions: str) -> bool:
    return any(_covers(entry.strip().lower(), origin) for entry in exceptions.split(",") if entry.strip())


def _covers(entry: str, origin: Origin) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(origin.host) in ip_network(entry, strict=False)
    except ValueError:
        pass
    name, _, port = entry.partition(":")
    suffix = name.removeprefix("*").removeprefix(".")
    return (not port or port == str(origin.port)) and (origin.host == suffix or origin.host.endswith(f".{suffix}"))
