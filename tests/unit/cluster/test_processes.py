import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from e2e.cluster.processes import ProcessTable, Record


@pytest.fixture
def table(tmp_path: Path) -> Iterator[ProcessTable]:
    table = ProcessTable(tmp_path / "processes")
    yield table
    for name in table.names():
        table.stop(name, grace_seconds=0)


def _start(table: ProcessTable, name: str, *command: str) -> Record:
    return table.start(name, list(command), dict(os.environ), table.folder.parent / f"{name}.log")


def test_a_started_process_is_found_again_and_stopped(table: ProcessTable) -> None:
    record = _start(table, "sleeper", "sleep", "60")
    assert ProcessTable(table.folder).alive("sleeper") == record
    table.stop("sleeper")
    assert not record.alive()
    assert table.names() == []


def test_a_process_that_ignores_sigterm_is_killed(table: ProcessTable) -> None:
    record = _start(table, "stubborn", "sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done")
    log = table.folder.parent / "stubborn.log"
    while "deaf" not in log.read_text():
        assert record.alive()
    table.stop("stubborn", grace_seconds=0.2)
    assert not record.alive()


def test_a_process_that_took_over_the_pid_is_neither_alive_nor_killed(table: ProcessTable) -> None:
    # What took over a pid started at another time than the one that was recorded.
    stranger = _start(table, "stranger", "sleep", "60")
    recorded = replace(stranger, start_ticks=stranger.start_ticks - 1)
    (table.folder / "component.json").write_text(json.dumps(asdict(recorded)))
    assert table.alive("component") is None
    table.stop("component")
    assert stranger.alive()


def test_a_process_of_an_earlier_boot_is_not_alive(table: ProcessTable) -> None:
    record = _start(table, "sleeper", "sleep", "60")
    assert not replace(record, boot="an earlier one").alive()


def test_a_torn_record_counts_as_none(table: ProcessTable) -> None:
    table.folder.mkdir()
    (table.folder / "torn.json").write_text('{"pid": 1')
    assert table.record("torn") is None


def test_the_log_starts_empty(table: ProcessTable) -> None:
    log = table.folder.parent / "speaker.log"
    log.write_text("from an earlier life")
    record = _start(table, "speaker", "echo", "hello")
    os.waitpid(record.pid, 0)
    assert log.read_text() == "hello\n"
