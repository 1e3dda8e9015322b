"""Processes that outlive the command that started them, known by pid, start time and boot."""

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

STOP_SECONDS = 20
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Record:
    """Pids are used again; a pid with its start time, within one boot, is not."""

    pid: int
    start_ticks: int
    boot: str
    fingerprint: str  # of what it was started with

    def alive(self) -> bool:
        return self.boot == _boot() and _start_ticks(self.pid) == self.start_ticks


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_ticks(pid: int) -> int | None:
    """None if there is no such process, or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@dataclass(frozen=True)
class ProcessTable:
    folder: Path

    def record(self, name: str) -> Record | None:
        try:
            return Record(**json.loads((self.folder / f"{name}.json").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def alive(self, name: str) -> Record | None:
        record = self.record(name)
        return record if record and record.alive() else None

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def start(
        self, name: str, command: list[str], environment: dict[str, str], log: Path, fingerprint: str = ""
    ) -> Record:
        """Start it in a session of its own, with an emptied log."""
        write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        pid = os.posix_spawnp(
            command[0], command, environment, setsid=True, setsigmask=[],
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), write, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
        )  # fmt: skip
        record = Record(pid, _start_ticks(pid) or 0, _boot(), fingerprint)
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f"{name}.new"
        temporary.write_text(json.dumps(asdict(record)))
        temporary.rename(self.folder / f"{name}.json")
        return record

    def stop(self, name: str, grace_seconds: float = STOP_SECONDS) -> None:
        record = self.alive(name)
        if record:
            _signal(record, signal.SIGTERM)
            if not _ended(record, grace_seconds):
                _signal(record, signal.SIGKILL)
                _ended(record, STOP_SECONDS)
        self.forget(name)

    def forget(self, name: str) -> None:
        (self.folder / f"{name}.json").unlink(missing_ok=True)


def _signal(record: Record, number: signal.Signals) -> None:
    if record.alive():
        with suppress(ProcessLookupError):
            os.kill(record.pid, number)


def _ended(record: Record, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):  # it is our child only if this very process started it
            os.waitpid(record.pid, os.WNOHANG)
        if not record.alive():
            return True
        time.sleep(POLL_SECONDS)
    return False
