"""A container image with the machine's static busybox and nothing else: pods' sandboxes and smoke tests use it."""

import gzip
import hashlib
import io
import json
import platform
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from e2e.cluster.refusal import Refusal

BUSYBOX_IMAGE = "localhost/stoker/busybox:e2e"
OCI = "application/vnd.oci.image"


def write_busybox_image(target: Path) -> None:
    """An OCI archive, made by hand since it is a handful of files; the same bytes for the same busybox."""
    busybox = Path(shutil.which("busybox") or "/bin/busybox")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    if _needs_a_loader(busybox.read_bytes()):
        raise Refusal(f"{busybox} is not static: install the package busybox-static in its place")
    layer = _tar({"bin/busybox": busybox.read_bytes()}, links={f"bin/{name}": "busybox" for name in applets})
    packed = gzip.compress(layer, mtime=0)
    blobs: dict[str, bytes] = {}
    config = {
        "architecture": "arm64" if platform.machine() == "aarch64" else "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Entrypoint": ["/bin/sleep"], "Cmd": ["2147483647"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _blob(blobs, json.dumps(config).encode(), f"{OCI}.config.v1+json"),
        "layers": [_blob(blobs, packed, f"{OCI}.layer.v1.tar+gzip")],
    }
    described = _blob(blobs, json.dumps(manifest).encode(), f"{OCI}.manifest.v1+json")
    described["annotations"] = {"org.opencontainers.image.ref.name": BUSYBOX_IMAGE}
    index = {"schemaVersion": 2, "manifests": [described]}
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode(), **blobs}
    target.write_bytes(_tar(files, links={}))


def _needs_a_loader(elf: bytes) -> bool:
    """Whether a 64-bit ELF file has an interpreter segment (type 3), as dynamic executables do."""
    offset, size, count = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    return any(struct.unpack_from("<I", elf, offset + size * index)[0] == 3 for index in range(count))


def _blob(blobs: dict[str, bytes], content: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    blobs[f"blobs/sha256/{digest}"] = content
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _tar(files: dict[str, bytes], links: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, mode in (("tmp", 0o1777), ("etc", 0o755)) if links else ():
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            archive.addfile(folder)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
        for name, to in links.items():
            if name not in files:
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, to
                archive.addfile(entry)
    return buffer.getvalue()
