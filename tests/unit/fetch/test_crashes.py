"""A process that is killed at any moment: the next one goes on, and what is published is whole."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.unit.fetch.origin import Origin, served
from tests.unit.fetch.runs import PART, content, is_published, listed

FILES = {"model.safetensors": content(PART * 24), "tokenizer.json": content(5000, 3)}
LISTED = [listed(path, data) for path, data in FILES.items()]
TOTAL_BYTES = sum(map(len, FILES.values()))
IN_FLIGHT_BYTES = 4 * PART
ROOT = Path(__file__).parents[3]


def start(origin: Origin, root: Path, **environment: str) -> "subprocess.Popen[str]":
    task: dict[str, Any] = {
        "source": "https://127.0.0.1/m",
        "revision": "r1",
        "folder": "m-r1",
        "owner": "team-a.llama",
    }
    listing = json.dumps([asdict(file) for file in LISTED])
    arguments = ["--root", str(root), "--result", str(root.parent / f"{root.name}.result")]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.fetch.process", origin.address, listing, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}/runtime-image:{ROOT}", "STOKER_TASK": json.dumps(task), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> int:
    _, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors, errors
    return process.returncode


def test_killed_at_any_moment_the_next_run_fetches_only_what_is_missing(tmp_path: Path) -> None:
    chance = random.Random(6)  # noqa: S311 - moments, not secrets
    kills = 0
    with served(FILES) as origin:
        origin.bytes_per_second = 500_000  # each of four connections
        while kills < 25:
            root = tmp_path / str(kills)
            root.mkdir()
            origin.asked.clear()
            before, starts = kills, 0
            while not is_published(root, FILES):
                running = start(origin, root)
                starts += 1
                # A run starts, waits until the dead one's lock is stale, and then fetches for more than a second. Each
                # gets longer than the last, since on a busy machine a start alone may take longer than the first gets.
                time.sleep(0.2 + chance.random() * 0.5 * starts)
                kills += running.poll() is None
                running.kill()
                running.communicate()
            assert origin.sent_bytes <= TOTAL_BYTES + (kills - before) * IN_FLIGHT_BYTES
            assert ended(start(origin, root)) == 0
            assert not list((root / ".stoker" / "partial").iterdir())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["publishing", "manifest", "journal", "lock"])
def test_killed_around_each_step_nothing_is_fetched_twice(tmp_path: Path, step: str, when: str) -> None:
    patient = {"STOKER_STALE_SECONDS": "3"}
    with served(FILES) as origin:
        assert ended(start(origin, tmp_path, STOKER_DIE_AT=f"{when} {step}", **patient)) == -signal.SIGKILL
        is_published(tmp_path, FILES)
        assert ended(start(origin, tmp_path, **patient)) == 0
        assert is_published(tmp_path, FILES)
        assert origin.sent_bytes == TOTAL_BYTES
    assert not (tmp_path / "m-r1" / ".stoker-journal").exists()


def test_told_to_end_it_ends_soon_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.bytes_per_second = 200_000
        first = start(origin, tmp_path)
        while origin.sent_bytes < TOTAL_BYTES / 3:
            time.sleep(0.01)
        first.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert ended(first) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 3
        assert not is_published(tmp_path, FILES)
        origin.bytes_per_second = None
        assert ended(start(origin, tmp_path)) == 0
        assert is_published(tmp_path, FILES)
        assert origin.sent_bytes <= TOTAL_BYTES + IN_FLIGHT_BYTES + 4 * 65536


def test_two_processes_at_once_fetch_once(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.bytes_per_second = 1_000_000
        both = [start(origin, tmp_path, STOKER_STALE_SECONDS="3") for _ in range(2)]
        assert [ended(process) for process in both] == [0, 0]
        assert is_published(tmp_path, FILES)
        assert origin.sent_bytes == TOTAL_BYTES


def test_a_frozen_holder_that_wakes_up_harms_nothing(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.bytes_per_second = 300_000
        frozen = start(origin, tmp_path)
        while origin.sent_bytes < TOTAL_BYTES / 3:
            time.sleep(0.01)
        frozen.send_signal(signal.SIGSTOP)
        origin.bytes_per_second = None
        assert ended(start(origin, tmp_path)) == 0
        assert is_published(tmp_path, FILES)
        os.kill(frozen.pid, signal.SIGCONT)
        assert ended(frozen) == 0
        assert is_published(tmp_path, FILES)
        assert not list((tmp_path / ".stoker" / "partial").iterdir())
