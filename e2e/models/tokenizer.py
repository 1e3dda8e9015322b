"""A byte-level BPE tokenizer, trained on a page of text: small, and in every way like those of large models."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from e2e.cluster.refusal import Refusal

CORPUS = Path(__file__).parent / "corpus.txt"
BEGIN, END, PAD = "<|begin_of_text|>", "<|end_of_text|>", "<|pad|>"
HEADER_START, HEADER_END, TURN_END = "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"
SPECIALS = (BEGIN, END, PAD, HEADER_START, HEADER_END, TURN_END)
# The words that byte-level pre-tokenizers cut, as far as the corpus is concerned (letters, digits, signs, spaces).
WORDS = re.compile(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


@dataclass(frozen=True)
class Tokenizer:
    merges: tuple[tuple[str, str], ...]
    tokens: tuple[str, ...]  # by id: the bytes, then the merges, then the specials

    @cached_property
    def ids(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    def unreadable_tokens(self) -> list[int]:
        """Specials, control characters and parts of multi-byte characters."""
        readable = {symbol for byte, symbol in byte_symbols().items() if 32 <= byte < 127}
        return [
            index
            for index, token in enumerate(self.tokens)
            if token in SPECIALS or not all(symbol in readable for symbol in token)
        ]


@cache
def byte_symbols() -> dict[int, str]:
    """A printable character for each byte, as GPT-2 chose them: printable ones stand for themselves."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    symbols = {byte: chr(byte) for byte in sorted(printable)}
    return symbols | {byte: chr(256 + index) for index, byte in enumerate(others)}


def trained_tokenizer(size: int) -> Tokenizer:
    """Merge the most frequent pair of neighbours until the vocabulary has its size; ties go by the alphabet."""
    symbols = byte_symbols()
    words = Counter(WORDS.findall(CORPUS.read_text(encoding="utf-8")))
    split = {tuple(symbols[byte] for byte in word.encode()): count for word, count in words.items()}
    merges: list[tuple[str, str]] = []
    tokens = list(symbols.values())
    while len(tokens) < size - len(SPECIALS):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in split.items():
            for pair in pairwise(word):
                pairs[pair] += count
        if not pairs:
            raise Refusal(f"{CORPUS.name} is too short for {size} tokens: {len(tokens)} came of it, so lengthen it")
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        if "".join(best) not in tokens:
            tokens.append("".join(best))
        split = {_merged(word, best): count for word, count in split.items()}
    return Tokenizer(tuple(merges), (*tokens, *SPECIALS))


def _merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    position = 0
    while position < len(word):
        if word[position : position + 2] == pair:
            merged.append("".join(pair))
            position += 2
        else:
            merged.append(word[position])
            position += 1
    return tuple(merged)
