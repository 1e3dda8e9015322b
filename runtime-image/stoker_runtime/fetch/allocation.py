"""Room on the disk for a whole file before its first byte, so that a full disk is told early and files lie in one
piece."""

import ctypes
import errno
import os

_LIBC = ctypes.CDLL(None, use_errno=True)


def allocate(handle: int, size_bytes: int) -> None:
    """The kernel's own call: the portable one writes every block where a file system cannot allocate."""
    if size_bytes <= 0:
        return
    fallocate = getattr(_LIBC, "fallocate", None)
    if fallocate is not None:
        fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
        if fallocate(handle, 0, 0, size_bytes) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EINTR):
            raise OSError(code, os.strerror(code))
    os.ftruncate(handle, size_bytes)
