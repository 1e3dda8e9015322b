"""Where a model's weights come from: one URI, eight schemes, each with its own way to name a revision.

hf://ORG/NAME[@REVISION]                    a branch, tag or commit of the hub
s3://BUCKET[/PREFIX][@LABEL]                objects have no revision of their own: the label is the user's,
gs://BUCKET[/PREFIX][@LABEL]                and changing it says that the content changed
az://ACCOUNT/CONTAINER[/PREFIX][@LABEL]
https://HOST/PATH[#sha256=DIGEST]
oci://REGISTRY/REPOSITORY[:TAG][@sha256:DIGEST]
ollama://[REGISTRY/][NAMESPACE/]NAME[:TAG]
pvc://CLAIM[/PATH][@LABEL]                  used in place, nothing is copied
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from stoker.api.declaration import Rule
from stoker.api.values.image import DIGEST
from stoker.api.values.parsed_text import ParsedText


@dataclass(frozen=True)
class ModelSource(ParsedText):
    """A source of any scheme. Its grammar is the table at the end of this file."""

    text: str

    max_length: ClassVar[int] = 512
    pinned_by: ClassVar[tuple[str, ...]] = ()  # the fields that fix the content, the hardest first

    @classmethod
    def _read(cls, text: str) -> Self:
        scheme = _scheme_of(text)
        match = re.fullmatch(scheme.pattern, text)
        source = scheme.kind(text, **match.groupdict()) if match else None
        if not isinstance(source, cls):
            raise ValueError(f"{text} is not a model source")  # noqa: TRY004 - pydantic turns it into a sentence
        return source

    @property
    def pin(self) -> str | None:
        """What fixes the content, as the user wrote it; None means whatever the source gives by default."""
        named = (getattr(self, name) for name in self.pinned_by)
        return next((value for value in named if value), None)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class HubSource(ModelSource):
    """A repository of a Hugging Face compatible hub."""

    repository: str
    revision: str | None

    pinned_by: ClassVar[tuple[str, ...]] = ("revision",)


@dataclass(frozen=True)
class BucketSource(ModelSource):
    """A prefix in an S3 or Google Cloud Storage bucket."""

    service: str
    bucket: str
    prefix: str | None
    label: str | None

    pinned_by: ClassVar[tuple[str, ...]] = ("label",)


@dataclass(frozen=True)
class AzureSource(ModelSource):
    """A prefix in an Azure Blob Storage container."""

    account: str
    container: str
    prefix: str | None
    label: str | None

    pinned_by: ClassVar[tuple[str, ...]] = ("label",)


@dataclass(frozen=True)
class RegistrySource(ModelSource):
    """An artifact or image in an OCI registry."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    pinned_by: ClassVar[tuple[str, ...]] = ("digest", "tag")


@dataclass(frozen=True)
class WebSource(ModelSource):
    """One file, or a folder with an index, on a web server."""

    host: str
    path: str
    query: str | None
    sha256: str | None

    pinned_by: ClassVar[tuple[str, ...]] = ("sha256",)


@dataclass(frozen=True)
class OllamaSource(ModelSource):
    """A model of an Ollama registry."""

    registry: str | None
    name: str
    tag: str | None

    pinned_by: ClassVar[tuple[str, ...]] = ("tag",)


@dataclass(frozen=True)
class ClaimSource(ModelSource):
    """A folder on a PersistentVolumeClaim of the same namespace, used where it is."""

    claim: str
    path: str | None
    label: str | None

    pinned_by: ClassVar[tuple[str, ...]] = ("label",)


@dataclass(frozen=True)
class _Scheme:
    """One scheme's grammar, and how to say it to a user. The pattern's groups are the fields of its kind."""

    name: str
    kind: type[ModelSource]
    pattern: str
    form: str
    example: str

    def rule(self) -> Rule:
        unnamed = re.sub(r"\?P<[a-z0-9]+>", "?:", self.pattern)
        return Rule(
            cel=f"!self.startsWith('{self.name}://') || self.matches(r'^(?:{unnamed})$')",
            holds=lambda text: not text.startswith(f"{self.name}://") or bool(re.fullmatch(self.pattern, text)),
            says=f"{{self}} is not complete or has a character too many: write {self.form}, such as {self.example}",
        )


_WORD = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_KEY = r"[^@?#\s]+"
_DNS_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_BUCKET = r"(?P<bucket>[a-z0-9][a-z0-9._-]{1,61}[a-z0-9])"
_PREFIX = rf"(?:/(?P<prefix>{_KEY}))?"
_REVISION = r"[A-Za-z0-9_][A-Za-z0-9_./-]*"
_LABEL = rf"(?:@(?P<label>{_REVISION}))?"
_SHA256 = "[0-9a-f]{64}"

_SCHEMES = (
    _Scheme(
        "hf",
        HubSource,
        rf"hf://(?P<repository>{_WORD}(?:/{_WORD})?)(?:@(?P<revision>{_REVISION}))?",
        "hf://ORG/NAME or hf://ORG/NAME@REVISION",
        "hf://meta-llama/Llama-3.1-8B-Instruct@main",
    ),
    _Scheme(
        "s3",
        BucketSource,
        rf"(?P<service>s3)://{_BUCKET}{_PREFIX}{_LABEL}",
        "s3://BUCKET/PREFIX or s3://BUCKET/PREFIX@LABEL",
        "s3://models/llama-8b@2026-11",
    ),
    _Scheme(
        "gs",
        BucketSource,
        rf"(?P<service>gs)://{_BUCKET}{_PREFIX}{_LABEL}",
        "gs://BUCKET/PREFIX or gs://BUCKET/PREFIX@LABEL",
        "gs://models/llama-8b",
    ),
    _Scheme(
        "az",
        AzureSource,
        rf"az://(?P<account>[a-z0-9]{{3,24}})/(?P<container>{_DNS_LABEL}){_PREFIX}{_LABEL}",
        "az://ACCOUNT/CONTAINER/PREFIX or az://ACCOUNT/CONTAINER/PREFIX@LABEL",
        "az://contoso/models/llama-8b",
    ),
    _Scheme(
        "oci",
        RegistrySource,
        rf"oci://(?P<registry>{_HOST})/(?P<repository>{_DNS_LABEL}(?:[._/-]+[a-z0-9]+)*)"
        rf"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@(?P<digest>{DIGEST}))?",
        "oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:DIGEST (64 lowercase hexadecimal digits)",
        "oci://registry.example.com/models/llama-8b:v1",
    ),
    _Scheme(
        "https",
        WebSource,
        rf"https://(?P<host>{_HOST})/(?P<path>{_KEY})(?:\?(?P<query>[^#\s]+))?(?:#sha256=(?P<sha256>{_SHA256}))?",
        "https://HOST/PATH or https://HOST/PATH#sha256=DIGEST (64 lowercase hexadecimal digits), without a user name",
        "https://models.example.com/llama-8b.gguf",
    ),
    _Scheme(
        "ollama",
        OllamaSource,
        rf"ollama://(?:(?P<registry>{_HOST})/)??(?P<name>{_WORD}(?:/{_WORD})?)(?::(?P<tag>{_WORD}))?",
        "ollama://NAME:TAG or ollama://REGISTRY/NAMESPACE/NAME:TAG",
        "ollama://qwen2.5:7b",
    ),
    _Scheme(
        "pvc",
        ClaimSource,
        rf"pvc://(?P<claim>{_DNS_LABEL}(?:\.{_DNS_LABEL})*)(?:/(?P<path>{_KEY}))?{_LABEL}",
        "pvc://CLAIM/PATH or pvc://CLAIM/PATH@LABEL",
        "pvc://shared-models/llama-8b",
    ),
)
_ANY_SCHEME = f"(?:{'|'.join(scheme.name for scheme in _SCHEMES)})://"


def _scheme_of(text: str) -> _Scheme:
    return next(scheme for scheme in _SCHEMES if text.startswith(f"{scheme.name}://"))


ModelSource.rules = (
    Rule(
        cel=f"self.matches('^{_ANY_SCHEME}')",
        holds=lambda text: re.match(_ANY_SCHEME, text) is not None,
        says="{self} starts with no scheme that can be fetched: start it with one of "
        + ", ".join(f"{scheme.name}://" for scheme in _SCHEMES),
    ),
    *(scheme.rule() for scheme in _SCHEMES),
    Rule(
        cel="!self.split('/').exists(segment, segment == '.' || segment == '..')",
        holds=lambda text: not any(segment in (".", "..") for segment in text.split("/")),
        says="{self} climbs with . or ..: write the path itself",
    ),
)
