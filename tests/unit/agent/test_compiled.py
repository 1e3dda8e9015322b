"""What an engine compiled is there for the next pod of the same model, and for no other."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from stoker_runtime.agent.compiled import Compiled, gpus_of
from tests.unit.agent.agents import RUNTIME, Agent

# An engine that compiles once, and says whether it had to.
ENGINE = f"""
import os, pathlib, runpy, sys
sys.path.insert(0, {str(RUNTIME)!r})
graph = pathlib.Path(os.environ["COMPILED"], "abc", "rank_0_0", "graph.py")
print("engine:", "found" if graph.exists() else "compiled", "a graph", flush=True)
graph.parent.mkdir(parents=True, exist_ok=True)
graph.write_text("x = 1")
sys.argv = ["x", "simulated", "--served-model-name", "m", "--host", "127.0.0.1", "--port", os.environ["PORT"]]
runpy.run_module("stoker_runtime", run_name="__main__")
"""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    folder.mkdir()
    return folder


def pod(kept: Path, name: str, key: str = "k", files: dict[str, bytes] | None = None) -> Compiled:
    """A pod with a folder of its own, in which its engine has made some files."""
    own = kept.parent / name
    own.mkdir()
    for path, content in (files or {}).items():
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_bytes(content)
    return Compiled(own, kept, key, devices=kept.parent / "no-devices")


def until_there(path: Path, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.05)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_next_pod_finds_what_the_first_one_made(kept: Path) -> None:
    files = {"abc/rank_0_0/graph.py": b"x = 1", "one": b"1"}
    assert "are kept for the next pod" in (pod(kept, "first", files=files).keep() or "")
    second = pod(kept, "second")
    assert "are here" in (second.take() or "")
    assert contents(second.own) == files
    (second.own / "one").write_bytes(b"another")
    assert contents(second.place) == files, "what is kept is a copy, which no engine writes to"


def test_another_key_and_another_gpu_find_nothing(kept: Path) -> None:
    first = pod(kept, "first", files={"one": b"1"})
    first.keep()
    assert pod(kept, "second", key="other").take() is None
    (kept.parent / "gpus" / "0000").mkdir(parents=True)
    (kept.parent / "gpus" / "0000" / "information").write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 1\n")
    assert gpus_of(kept.parent / "gpus") == "NVIDIA-H100-80GB-HBM3"
    assert Compiled(first.own, kept, "k", devices=kept.parent / "gpus").place != first.place


def test_a_folder_that_has_something_already_is_left_as_it_is(kept: Path) -> None:
    """A container that starts again finds what its own engine made, and perhaps more than was kept."""
    pod(kept, "first", files={"one": b"1"}).keep()
    restarted = pod(kept, "second", files={"two": b"2"})
    assert restarted.take() is None
    assert contents(restarted.own) == {"two": b"2"}


def test_the_first_of_several_pods_is_kept_and_the_others_change_nothing(kept: Path) -> None:
    pod(kept, "first", files={"one": b"1"}).keep()
    assert pod(kept, "second", files={"one": b"2"}).keep() is None
    assert [path.name for path in kept.iterdir()] == ["k.any"]
    assert contents(kept / "k.any") == {"one": b"1"}


def test_the_newest_keys_stay_and_what_a_killed_pod_left_goes(kept: Path) -> None:
    abandoned, under_way = kept / ".new.old", kept / ".new.now"
    for folder in (abandoned, under_way):
        folder.mkdir()
    long_ago = time.time() - 7200
    os.utime(abandoned, (long_ago, long_ago))
    for number, key in enumerate(("a", "b", "c")):
        compiled = pod(kept, key, key, {"one": key.encode()})
        compiled.keep()
        os.utime(compiled.place, (number, number))
    assert sorted(path.name for path in kept.iterdir()) == [".new.now", "b.any", "c.any"]


def test_what_would_take_the_room_of_weights_is_not_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoker_runtime.agent.compiled._MOST_BYTES", 10)
    assert "are not kept" in (pod(kept, "first", files={"one": b"1" * 11}).keep() or "")
    assert list(kept.iterdir()) == []


def test_a_folder_that_is_not_there_is_told_and_is_no_reason_to_fail(tmp_path: Path) -> None:
    compiled = pod(tmp_path / "nowhere", "own", files={"one": b"1"})
    assert compiled.take() is None
    assert "cannot be kept" in (compiled.keep() or "")


async def test_the_agent_carries_it_from_one_pod_to_the_next(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    for name in ("first", "second"):
        own = tmp_path / name
        own.mkdir()
        monkeypatch.setenv("COMPILED", str(own))
        flags = ("--compiled", str(own), "--compiled-kept", str(kept), "--compiled-key", "k")
        async with Agent(tmp_path, *flags).with_script(ENGINE) as agent:
            await agent.ready()
            # Shortly after it is ready, on a thread of its own.
            await asyncio.to_thread(until_there, kept / "k.any")
        said.append(await agent.output())
    assert "engine: compiled a graph" in said[0]
    assert "kept for the next pod" in said[0]
    assert "compiled before are here" in said[1]
    assert "engine: found a graph" in said[1]
