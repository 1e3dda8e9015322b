"""Content as zstd packs it, by the library of the machine."""

import ctypes


def zstd_frame(content: bytes) -> bytes:
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    packed = ctypes.create_string_buffer(library.ZSTD_compressBound(ctypes.c_size_t(len(content))))
    sizes = ctypes.c_size_t(len(packed)), ctypes.c_size_t(len(content))
    size = library.ZSTD_compress(packed, sizes[0], content, sizes[1], 3)
    return packed.raw[:size]
