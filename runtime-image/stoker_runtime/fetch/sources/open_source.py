"""From a URI to the source it names. The operator checked the grammar; what comes otherwise is refused here again."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import Source, Web
from stoker_runtime.fetch.sources.azure import AzureSource
from stoker_runtime.fetch.sources.bucket import BucketSource
from stoker_runtime.fetch.sources.claim import ClaimSource
from stoker_runtime.fetch.sources.google import GoogleSource
from stoker_runtime.fetch.sources.hub import HubSource
from stoker_runtime.fetch.sources.ollama import PUBLIC, OllamaSource
from stoker_runtime.fetch.sources.prefix import Place
from stoker_runtime.fetch.sources.registry import RegistrySource
from stoker_runtime.fetch.sources.registry_client import RegistryClient
from stoker_runtime.fetch.sources.website import Address, FolderSource, WebsiteSource

_Parts = Mapping[str, str | None]
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_LABEL = r"(?:@(?P<label>[A-Za-z0-9_][A-Za-z0-9_./-]*))?"
_PREFIX = r"(?:/(?P<prefix>[^@?#\s]+))?"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_DNS_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_BUCKET = r"(?P<container>[a-z0-9][a-z0-9._-]{1,61}[a-z0-9])"
_FORMS = {
    "hf": rf"(?P<repository>{_WORD}(?:/{_WORD})?)(?:@(?P<revision>[A-Za-z0-9_][A-Za-z0-9_./-]*))?",
    "s3": rf"{_BUCKET}{_PREFIX}{_LABEL}",
    "gs": rf"{_BUCKET}{_PREFIX}{_LABEL}",
    "az": rf"(?P<account>[a-z0-9]{{3,24}})/(?P<container>{_DNS_LABEL}){_PREFIX}{_LABEL}",
    "oci": rf"(?P<registry>{_HOST})/(?P<repository>{_DNS_LABEL}(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    "https": rf"(?P<host>{_HOST})/(?P<path>[^@?#\s]+)(?:\?(?P<query>[^#\s]+))?(?:#sha256=(?P<sha256>[0-9a-f]{{64}}))?",
    "ollama": rf"(?:(?P<registry>{_HOST})/)??(?P<name>{_WORD}(?:/{_WORD})?)(?::(?P<tag>{_WORD}))?",
    "pvc": rf"(?P<claim>{_DNS_LABEL}(?:\.{_DNS_LABEL})*)(?:/(?P<path>[^@?#\s]+))?{_LABEL}",
}


def open_source(text: str, web: Web, environment: Mapping[str, str], mounted: Path | None) -> Source:
    """No question is asked yet. `mounted` is where the claim of a pvc:// is."""
    scheme, parts = _parts_of(text)
    if scheme == "pvc":
        if mounted is None:
            raise WeightsError(Reason.UNREADABLE, f"{text} is on a claim, which is not mounted here: mount it")
        return ClaimSource(_of(parts, "claim"), parts["path"], parts["label"], mounted)
    if scheme == "https":
        address = Address(_of(parts, "host"), _of(parts, "path"), parts["query"], parts["sha256"])
        return FolderSource(address, web) if address.path.endswith("/") else WebsiteSource(address, web)
    if scheme in {"s3", "gs", "az"}:
        return _in_a_bucket(scheme, parts, web, environment)
    return _in_a_registry(scheme, parts, web, environment)


def _in_a_bucket(scheme: str, parts: _Parts, web: Web, environment: Mapping[str, str]) -> Source:
    place = Place(_of(parts, "container"), _of(parts, "prefix").strip("/"), parts["label"])
    if scheme == "az":
        return AzureSource(_of(parts, "account"), place, web, environment)
    return (BucketSource if scheme == "s3" else GoogleSource)(place, web, environment)


def _in_a_registry(scheme: str, parts: _Parts, web: Web, environment: Mapping[str, str]) -> Source:
    if scheme == "hf":
        return HubSource(_of(parts, "repository"), parts["revision"], web, environment)
    if scheme == "oci":
        client = RegistryClient(_of(parts, "registry"), _of(parts, "repository"), web, environment)
        return RegistrySource(client, parts["digest"] or parts["tag"] or "latest")
    name = _of(parts, "name")
    repository = name if "/" in name else f"library/{name}"
    client = RegistryClient(parts["registry"] or PUBLIC, repository, web, environment)
    return OllamaSource(client, name, parts["tag"] or "latest")


def _parts_of(text: str) -> tuple[str, _Parts]:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _FORMS:
        _refuse(text, f"it starts with none of {', '.join(f'{name}://' for name in _FORMS)}")
    match = re.fullmatch(_FORMS[scheme], rest)
    if not match or len(text) > 512:
        _refuse(text, "it is not complete, or has a character too many")
    if any(segment in {".", ".."} for segment in text.split("/")):
        _refuse(text, "it climbs with . or ..")
    return scheme, match.groupdict()


def _of(parts: _Parts, name: str) -> str:
    return parts[name] or ""


def _refuse(text: str, why: str) -> NoReturn:
    raise WeightsError(Reason.UNSAFE_SOURCE, f"{text[:200]!r} is no source of weights, {why}: mend model.source")
