"""Archives from strangers."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stoker_runtime.failure import Reason
from stoker_runtime.fetch.sources.archive import unpack
from tests.servers.zstd import zstd_frame
from tests.unit.sources.backward_tars import BACKWARD_TARS
from tests.unit.sources.directed import Refusal

MUCH = 1 << 20


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, target, len(content), 0o4777
    return info, content


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.LNKTYPE, target=target)


def tar(*entries: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return io.BytesIO(buffer.getvalue())


def below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("packed", [bytes, gzip.compress, zstd_frame], ids=["plain", "gzip", "zstd"])
def test_files_below_the_prefix_are_unpacked_and_others_are_not(into: Path, packed: Callable[[bytes], bytes]) -> None:
    long_name = "models/" + "/".join(["x" * 120] * 3)
    archive = tar(entry("etc/passwd", b"x"), entry("./models/a/b.json", b"{}"), entry("models/", kind=tarfile.DIRTYPE),
                  entry(long_name, b"long"))  # fmt: skip
    stream = io.BytesIO(packed(archive.read()))
    written = unpack(stream, into, MUCH, "models/")
    assert [path.relative_to(into).as_posix() for path in written] == ["a/b.json", long_name.removeprefix("models/")]
    assert below(into) == {"a/b.json": b"{}", long_name.removeprefix("models/"): b"long"}


def test_no_file_gets_rights_that_the_archive_asks_for(into: Path) -> None:
    unpack(tar(entry("a", b"x")), into, MUCH)
    assert (into / "a").stat().st_mode & 0o7133 == 0


@pytest.mark.parametrize("name", ["/a", "../a", "a/../../b", "models/../../a", "a\\b", "a\nb", ".stoker/x", "x" * 300])
def test_paths_out_of_the_folder_are_refused(into: Path, name: str) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry(name, b"x")), into, MUCH)
    assert below(into.parent) == {"secret": b"secret"}


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_refused(into: Path, kind: bytes) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("a", kind=kind)), into, MUCH)


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "..", "nothing", "a", "d/../../secret"])
def test_links_out_of_the_folder_or_to_nothing_are_refused(into: Path, target: str) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("d/x", b"x"), link("a", target)), into, MUCH)


def test_links_that_lead_out_only_together_are_refused(into: Path) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("d/e/x", b"x"), link("d/e/up", "../.."), link("l", "d/e/up/../secret")), into, MUCH)


def test_links_within_the_folder_stay(into: Path) -> None:
    unpack(tar(entry("blobs/1", b"w"), link("snapshot/model", "../blobs/1")), into, MUCH)
    assert (into / "snapshot/model").read_bytes() == b"w"


@pytest.mark.parametrize("target", ["..", "d"])
def test_nothing_is_written_through_a_link(into: Path, target: str) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("d/x", b"x"), link("a", target), entry("a/secret", b"changed")), into, MUCH)
    assert (into.parent / "secret").read_text() == "secret"


def test_a_file_in_the_place_of_a_link_replaces_the_link(into: Path) -> None:
    (into / "a").symlink_to("../secret")
    unpack(tar(entry("a", b"new")), into, MUCH)
    assert (into.parent / "secret").read_text() == "secret"
    assert (into / "a").read_bytes() == b"new"


def test_hard_links_are_to_files_of_the_archive_alone(into: Path) -> None:
    unpack(tar(entry("m/a", b"x"), hard_link("m/b", "m/a")), into, MUCH, "m/")
    assert below(into) == {"a": b"x", "b": b"x"}
    for target in ("../secret", "/etc/passwd", "absent", "m/"):
        with Refusal(Reason.UNSAFE_SOURCE):
            unpack(tar(hard_link("m/c", target)), into, MUCH, "m/")
    (into / "s").symlink_to("../secret")
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(hard_link("m/c", "m/s")), into, MUCH, "m/")


def test_more_bytes_than_agreed_are_refused_before_they_are_written(into: Path) -> None:
    bomb = gzip.compress(tar(entry("a", b"x" * 100), entry("b", bytes(5 * MUCH))).read())
    assert len(bomb) < MUCH // 10
    with Refusal(Reason.UNSAFE_SOURCE) as refusal:
        unpack(io.BytesIO(bomb), into, MUCH)
    assert "more than the 1,048,576 bytes" in refusal.message
    assert below(into) == {"a": b"x" * 100}


def test_files_elsewhere_count_too(into: Path) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("etc/a", bytes(2 * MUCH))), into, MUCH, "models/")


def test_a_header_that_would_fill_the_memory_is_refused(into: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(io.BytesIO(info.tobuf(tarfile.GNU_FORMAT) + bytes(10_240)), into, 1 << 40)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("backward", BACKWARD_TARS.values(), ids=BACKWARD_TARS)
def test_a_length_that_leads_back_is_refused(into: Path, backward: bytes) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(io.BytesIO(backward + bytes(10_240)), into, 1 << 40)


@pytest.mark.parametrize("content", [b"", b"no archive" * 100, b"\x1f\x8b\x08broken"])
def test_what_is_no_archive_is_told(into: Path, content: bytes) -> None:
    with Refusal(Reason.UNREADABLE):
        unpack(io.BytesIO(content), into, MUCH)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_archive_that_breaks_off_is_told(into: Path, share: float) -> None:
    whole = gzip.compress(tar(entry("a", os.urandom(50_000))).read())
    with Refusal(Reason.UNREADABLE):
        unpack(io.BytesIO(whole[: int(len(whole) * share)]), into, MUCH)


def test_a_later_layer_replaces_and_takes_away(into: Path) -> None:
    unpack(tar(entry("a", b"1"), entry("b", b"1"), entry("d/c", b"1")), into, MUCH)
    unpack(tar(entry("a", b"2"), entry(".wh.b"), entry("d/e", b"2"), entry("d/.wh..wh..opq")), into, MUCH)
    assert below(into) == {"a": b"2", "d/e": b"2"}


@pytest.mark.parametrize("name", [".wh..", ".wh...", ".wh.", "d/.wh..."])
def test_a_removal_does_not_reach_out_of_its_folder(into: Path, name: str) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("d/x", b"x"), entry(name)), into, MUCH)
    assert (into.parent / "secret").exists()


def test_a_file_and_a_folder_of_one_name_are_refused(into: Path) -> None:
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("a", b"x"), entry("a/b", b"x")), into, MUCH)
    with Refusal(Reason.UNSAFE_SOURCE):
        unpack(tar(entry("d/b", b"x"), entry("d", b"x")), into, MUCH)
