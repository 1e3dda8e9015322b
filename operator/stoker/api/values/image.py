"""Container image references."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from stoker.api.declaration import Rule, matching
from stoker.api.values.parsed_text import ParsedText

_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?"
_PATH = r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
_NAME = rf"(?:{_HOST}/)?{_PATH}"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"

IMAGE_PREFIX = rf"{_HOST}(?:/{_PATH})?"

_PATTERN = rf"(?P<name>{_NAME})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{DIGEST}))?"
_IMAGE = re.compile(_PATTERN)
_UNNAMED = re.sub(r"\?P<[a-z]+>", "?:", _PATTERN)


@dataclass(frozen=True)
class ImageReference(ParsedText):
    """An image by name, with a tag, a digest or both."""

    name: str
    tag: str | None = None
    digest: str | None = None

    max_length: ClassVar[int] = 512
    rules: ClassVar[tuple[Rule, ...]] = (
        matching(
            _UNNAMED,
            "{self} is not an image reference:"
            " write NAME:TAG, NAME@sha256:DIGEST (64 lowercase hexadecimal digits) or both",
        ),
    )

    @classmethod
    def _read(cls, text: str) -> Self:
        match = _IMAGE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text} is not an image reference")
        return cls(match["name"], match["tag"], match["digest"])

    def below(self, prefix: str) -> Self:
        """The same image where a mirror has it: the prefix stands in for the registry."""
        host, slash, path = self.name.partition("/")
        has_host = bool(slash) and ("." in host or ":" in host or host == "localhost")
        return replace(self, name=f"{prefix}/{path if has_host else self.name}")

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"
