"""What compressed a layer, by its first bytes: media types are often wrong."""

import gzip
import io
import zlib
from enum import StrEnum
from typing import BinaryIO, cast

from stoker_runtime.fetch.sources.zstd import ZstdError, ZstdReader

FIRST_BYTES = 4
# Weights hardly compress, so an archive that grows more than this holds something else.
_MOST_GROWTH = 20
_SMALL_BYTES = 1 << 30
DECOMPRESSION_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, ZstdError)


class Compression(StrEnum):
    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


def compression_of(first_bytes: bytes) -> Compression:
    if first_bytes.startswith(b"\x1f\x8b"):
        return Compression.GZIP
    # A frame, or one of those that are skipped.
    if first_bytes == b"\x28\xb5\x2f\xfd" or (first_bytes[1:] == b"\x2a\x4d\x18" and 0x50 <= first_bytes[0] <= 0x5F):
        return Compression.ZSTD
    return Compression.NONE


def most_unpacked_bytes(archive_bytes: int) -> int:
    return archive_bytes * _MOST_GROWTH + _SMALL_BYTES


def decompressed(stream: BinaryIO, how: Compression) -> BinaryIO:
    if how is Compression.GZIP:
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    if how is Compression.ZSTD:
        return cast("BinaryIO", io.BufferedReader(ZstdReader(stream)))
    return stream
