"""zstd, by the library that every Debian and Ubuntu has for its package manager: Python has its own from 3.14 on."""

import ctypes
import functools
import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_AT_ONCE_BYTES = 1 << 17


class ZstdError(Exception):
    """What the library says of the bytes."""


class _Span(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer."""

    _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


@functools.cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libzstd.so.1")
    except OSError:
        return None
    span = ctypes.POINTER(_Span)
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, span, span]
    library.ZSTD_isError.argtypes = [ctypes.c_size_t]
    library.ZSTD_getErrorName.restype = ctypes.c_char_p
    library.ZSTD_getErrorName.argtypes = [ctypes.c_size_t]
    return library


def is_readable() -> bool:
    return _library() is not None


class ZstdReader(io.RawIOBase):
    """The content of one frame after the other. Of memory it takes the window, 128 MiB at most."""

    def __init__(self, compressed: BinaryIO) -> None:
        library = _library()
        if library is None:
            raise ZstdError("this image has no libzstd.so.1")
        self._library = library
        self._stream = library.ZSTD_createDStream()
        self._compressed = compressed
        self._data = ctypes.create_string_buffer(0)
        self._input = _Span(None, 0, 0)
        self._wanted = 0  # by the frame under way; 0: it is whole
        self._has_more = False  # than the last answer had room for

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._library.ZSTD_freeDStream(self._stream)
        super().close()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        if not len(view):
            return 0
        target = (ctypes.c_char * len(view)).from_buffer(view)
        output = _Span(ctypes.addressof(target), len(view), 0)
        while not output.position:
            if not self._has_more and self._input.position == self._input.size and not self._fill():
                if self._wanted:
                    raise EOFError("zstd ends in the middle of a frame")
                return 0
            self._wanted = self._library.ZSTD_decompressStream(
                self._stream, ctypes.byref(output), ctypes.byref(self._input)
            )
            if self._library.ZSTD_isError(self._wanted):
                raise ZstdError(self._library.ZSTD_getErrorName(self._wanted).decode())
            self._has_more = output.position == output.size
        return int(output.position)

    def _fill(self) -> bool:
        data = self._compressed.read(_AT_ONCE_BYTES)
        self._data = ctypes.create_string_buffer(data, len(data)) if data else self._data
        self._input = _Span(ctypes.addressof(self._data), len(data), 0)
        return bool(data)
