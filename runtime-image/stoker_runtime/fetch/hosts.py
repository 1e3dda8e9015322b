"""Hosts that may be inside of the cluster, since somebody who may say so named them."""

from collections.abc import Mapping

_ENDPOINTS = (
    "HF_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "STORAGE_EMULATOR_HOST",
    "AZURE_STORAGE_ENDPOINT",
    "STOKER_SOURCE_ENDPOINT",
)
_ALLOWED_HOSTS = "STOKER_ALLOWED_HOSTS"


def named_hosts(source: str, environment: Mapping[str, str]) -> frozenset[str]:
    """The hosts that the source itself or its configured endpoint names: they may be inside of the cluster."""
    scheme, _, rest = source.partition("://")
    first, slash, _ = rest.partition("/")
    named = [first] if scheme in ("https", "http", "oci") or (scheme == "ollama" and slash) else []
    named += [environment.get(name, "").partition("://")[2] or environment.get(name, "") for name in _ENDPOINTS]
    return frozenset(host for name in named if (host := _host(name)))


def allowed_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """Hosts that may have private addresses, by whoever runs the cluster."""
    return frozenset(host for name in environment.get(_ALLOWED_HOSTS, "").split(",") if (host := name.strip().lower()))


def _host(authority: str) -> str:
    host = authority.partition("/")[0].partition("?")[0].rpartition("@")[2].lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
