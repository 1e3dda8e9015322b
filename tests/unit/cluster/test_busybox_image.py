import io
import json
import os
import struct
import tarfile
from pathlib import Path

import pytest

from e2e.cluster.busybox_image import BUSYBOX_IMAGE, write_busybox_image
from e2e.cluster.refusal import Refusal

LOAD, INTERPRETER = 1, 3


def executable(segment: int) -> bytes:
    """As much of a 64-bit ELF file as tells static from dynamic: where the segments are, and one of them."""
    header = bytearray(64)
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 1)
    return bytes(header) + struct.pack("<I", segment) + bytes(52)


@pytest.fixture
def busybox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that lists applets; what makes it an executable for the image is appended by each test."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "busybox"


def write(busybox: Path, segment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    busybox.write_text("#!/bin/sh\nprintf 'sh\\nsleep\\n'\n")
    busybox.chmod(0o755)
    content = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: executable(segment) if path == busybox else content(path))


def test_the_image_holds_busybox_under_the_name_of_each_applet(
    busybox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(busybox, LOAD, monkeypatch)
    write_busybox_image(tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as archive:
        blobs = {name: member.read() for name in archive.getnames() if (member := archive.extractfile(name))}
    described = json.loads(blobs["index.json"])["manifests"][0]
    assert described["annotations"] == {"org.opencontainers.image.ref.name": BUSYBOX_IMAGE}
    manifest = json.loads(blobs["blobs/" + described["digest"].replace(":", "/")])
    layer = blobs["blobs/" + manifest["layers"][0]["digest"].replace(":", "/")]
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        assert files.getnames() == ["tmp", "etc", "bin/busybox", "bin/sh", "bin/sleep"]
        assert files.getmember("bin/sh").linkname == "busybox"


def test_the_image_is_the_same_for_the_same_busybox(
    busybox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(busybox, LOAD, monkeypatch)
    images = [tmp_path / name for name in ("a.tar", "b.tar")]
    for image in images:
        write_busybox_image(image)
    assert images[0].read_bytes() == images[1].read_bytes()


def test_a_busybox_that_needs_libraries_is_refused(
    busybox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(busybox, INTERPRETER, monkeypatch)
    with pytest.raises(Refusal, match="is not static: install the package busybox-static"):
        write_busybox_image(tmp_path / "image.tar")
