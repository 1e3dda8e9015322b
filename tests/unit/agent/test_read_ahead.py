"""Weights are in the page cache when the engine comes to them."""

import threading
from pathlib import Path

from stoker_runtime.agent.read_ahead import read_ahead, room_bytes
from stoker_runtime.fetch.manifest import Manifest, ManifestFile, write_manifest
from tests.unit.agent.agents import Agent

MIB = 1 << 20


def published(folder: Path, **sizes: int) -> Path:
    """A folder with files of these sizes, named without their ending."""
    folder.mkdir()
    files = []
    for name, size_bytes in sizes.items():
        path = folder / f"{name}.safetensors"
        path.write_bytes(b"w" * size_bytes)
        files.append(ManifestFile(path.name, size_bytes, "0" * 64))
    (folder / "tokenizer.json").write_bytes(b"{}")
    files.append(ManifestFile("tokenizer.json", 2, "0" * 64))
    write_manifest(folder, Manifest("hf://a/b", "r", tuple(files), "now"))
    return folder


def test_every_byte_of_the_weights_is_read_and_nothing_else(tmp_path: Path) -> None:
    folder = published(tmp_path / "weights", one=20 * MIB + 1, two=3)
    assert read_ahead(folder, threading.Event(), 1 << 40) == 20 * MIB + 4


def test_no_more_is_read_than_there_is_room_for(tmp_path: Path) -> None:
    folder = published(tmp_path / "weights", one=2 * MIB, two=2 * MIB)
    assert read_ahead(folder, threading.Event(), 3 * MIB) == 3 * MIB


def test_reading_ends_when_the_engine_has_loaded(tmp_path: Path) -> None:
    loaded = threading.Event()
    loaded.set()
    assert read_ahead(published(tmp_path / "weights", one=MIB), loaded, 1 << 40) == 0


def test_a_file_that_is_gone_is_the_engines_to_tell(tmp_path: Path) -> None:
    folder = published(tmp_path / "weights", one=MIB, two=MIB)
    (folder / "one.safetensors").unlink()
    assert read_ahead(folder, threading.Event(), 1 << 40) == MIB
    assert read_ahead(tmp_path, threading.Event(), 1 << 40) == 0, "no manifest, so nobody knows which files there are"


def test_half_of_what_the_container_may_still_have_is_room(tmp_path: Path) -> None:
    memory, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    memory.write_text("MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
    limit.write_text("max\n")
    assert room_bytes([limit, tmp_path / "none"], memory) == MIB
    limit.write_text(f"{MIB}\n")
    assert room_bytes([limit], memory) == MIB // 2
    assert room_bytes([limit], tmp_path / "none") == 0, "unknown is not all there is"


async def test_the_agent_says_how_much_it_has_read_ahead(tmp_path: Path) -> None:
    folder = published(tmp_path / "weights", one=5 * MIB)
    async with Agent(tmp_path, "--weights", str(folder)).of("--start-seconds", "1") as agent:
        await agent.ready()
    assert "of weights read ahead in" in await agent.output()
