"""Answers without a model: the same prompt and seed give the same words, one word a token."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_BYTES_A_TOKEN = 4  # about what tokenizers make of English
_TEXT = (
    "the a of and to in is it that for on with as at by this from be are or an was not have has one all more can will "
    "time water light stone river engine house field road night morning winter number letter small large early late "
    "quiet open warm cold first second often never always again under over between through before after while where"
)
_WORDS = tuple(_TEXT.split(" "))


def tokens_in(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN)


def seed_of(*parts: object) -> int:
    return zlib.crc32("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))


class Answer(Protocol):
    @property
    def tokens(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def stop_reason(self) -> str | None: ...
    def piece(self, index: int) -> str: ...


def text_of(answer: Answer, tokens: int) -> str:
    return "".join(answer.piece(index) for index in range(tokens))


@dataclass(frozen=True, slots=True)
class Words:
    """Any number of words, none of which is kept: thousands of long answers cost nothing."""

    seed: int
    tokens: int
    reason: str
    stop_reason: str | None = None

    def piece(self, index: int) -> str:
        word = _WORDS[zlib.crc32(index.to_bytes(4, "big"), self.seed) % len(_WORDS)]
        return f" {word}" if index else word


@dataclass(frozen=True, slots=True)
class Pieces:
    pieces: tuple[str, ...]
    reason: str
    stop_reason: str | None = None

    @property
    def tokens(self) -> int:
        return len(self.pieces)

    def piece(self, index: int) -> str:
        return self.pieces[index]


def until_stop(words: Words, stops: Iterable[str]) -> Words | Pieces:
    """Cut before the first stop string, whose tokens are generated and not shown."""
    text = text_of(words, words.tokens)
    found = [(text.find(stop) + len(stop), text.find(stop), stop) for stop in stops if stop in text]
    if not found:
        return words
    end, begin, stop = min(found)
    pieces: list[str] = []
    position = 0
    while position < end:
        piece = words.piece(len(pieces))
        pieces.append(piece[: max(0, begin - position)])
        position += len(piece)
    return Pieces(tuple(pieces), "stop", stop)


def in_tokens(text: str, limit: int) -> Pieces:
    """A text that is known, token by token, as far as the limit allows."""
    pieces = tuple(text[start : start + _BYTES_A_TOKEN] for start in range(0, len(text), _BYTES_A_TOKEN))
    return Pieces(pieces[:limit], "stop" if len(pieces) <= limit else "length")
