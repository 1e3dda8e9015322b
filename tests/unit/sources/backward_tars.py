"""Archives whose lengths are below zero, so that the next header is one that was read before."""

import tarfile


def _header(size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo("model.safetensors")
    info.size = size
    return info


def _with_length_elsewhere(length: str) -> bytes:
    info = _header(0)
    info.pax_headers = {"size": length}
    return info.tobuf(tarfile.PAX_FORMAT)


_FIRST = _header(0).tobuf(tarfile.GNU_FORMAT)  # to lead to the very first one would be an end
BACKWARD_TARS = {
    "to itself": _FIRST + _header(-512).tobuf(tarfile.GNU_FORMAT),
    "to one before": 2 * _FIRST + _header(-1024).tobuf(tarfile.GNU_FORMAT),
    "by an extended header": _FIRST + _with_length_elsewhere("-1536"),
}
