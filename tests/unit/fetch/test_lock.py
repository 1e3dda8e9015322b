"""One writer for a folder: nobody compares clocks, and a holder that lost its lock publishes nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stoker_runtime.fetch.lock import Lock, LockTimes, LostLock, Watched
from stoker_runtime.fetch.manifest import Manifest, ManifestFile, sha256_of
from stoker_runtime.fetch.publishing import publish
from stoker_runtime.fetch.volume import Volume

TIMES = LockTimes(beat_seconds=0.02, stale_seconds=0.3)
NEVER_BEATS = LockTimes(beat_seconds=60, stale_seconds=120)


@contextmanager
def volume_of(root: Path) -> Iterator[Volume]:
    volume = Volume(root)
    volume.prepare()
    yield volume


def soon() -> bool:
    time.sleep(0.01)
    return True


def complete(partial: Path, data: bytes) -> Manifest:
    (partial / "a").write_bytes(data)
    return Manifest("hf://a/b", "r1", (ManifestFile("a", len(data), sha256_of(partial / "a")),), "2026-01-01T00:00:00")


def test_a_second_job_gets_no_lock_while_the_first_beats(tmp_path: Path) -> None:
    with volume_of(tmp_path) as volume:
        first, second = Lock(volume, "m", TIMES), Lock(volume, "m", TIMES)
        assert first.try_acquire()
        ends_at = time.monotonic() + 3 * TIMES.stale_seconds
        assert not second.acquire(lambda: soon() and time.monotonic() < ends_at)
        first.check()
        first.release()
        assert second.acquire(soon)
        second.release()
        assert not list(volume.locks.iterdir())


def test_a_lock_that_no_longer_changes_is_taken_over_and_its_holder_notices(tmp_path: Path) -> None:
    with volume_of(tmp_path) as volume:
        first, second = Lock(volume, "m", NEVER_BEATS), Lock(volume, "m", TIMES)
        assert first.try_acquire()
        assert second.acquire(soon)
        first.beat()
        with pytest.raises(LostLock, match="another job took it over"):
            first.check()
        second.check()
        first.release()
        second.check()
        assert (volume.locks / "m").exists()
        second.release()


def test_of_many_waiters_one_takes_over(tmp_path: Path) -> None:
    with volume_of(tmp_path) as volume:
        dead = Lock(volume, "m", NEVER_BEATS)
        assert dead.try_acquire()
        waiters = [Lock(volume, "m", TIMES) for _ in range(8)]
        ends_at = time.monotonic() + 1
        got: list[bool] = []
        threads = [
            threading.Thread(
                target=lambda lock=lock: got.append(lock.acquire(lambda: soon() and time.monotonic() < ends_at))
            )
            for lock in waiters
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lost = [lock for lock in waiters if lock._handle is not None and lock._lost]
        assert sum(got) - len(lost) == 1
        for lock in [*waiters, dead]:
            lock.release()


def test_a_waiter_counts_by_its_own_clock_from_the_last_change_it_saw() -> None:
    watched = Watched(stale_seconds=10)
    assert not watched.is_stale(b"1", now=1000)
    assert not watched.is_stale(b"1", now=1009)
    assert not watched.is_stale(b"2", now=1011)
    assert not watched.is_stale(b"2", now=1020)
    assert watched.is_stale(b"2", now=1021)


def test_a_holder_whose_heartbeats_fail_ends_before_anybody_may_take_over(tmp_path: Path) -> None:
    with volume_of(tmp_path) as volume:
        lock = Lock(volume, "m", LockTimes(beat_seconds=60, stale_seconds=0.1))
        assert lock.try_acquire()
        lock.check()
        time.sleep(0.06)
        with pytest.raises(LostLock, match="no heartbeat"):
            lock.check()
        lock.release()


def test_a_holder_that_lost_its_folder_publishes_nothing(tmp_path: Path) -> None:
    with volume_of(tmp_path) as volume:
        old, new = Lock(volume, "m", NEVER_BEATS), Lock(volume, "m", TIMES)
        assert old.try_acquire()
        manifest = complete(old.adopt(), b"of the old one")
        assert new.acquire(soon)
        adopted = new.adopt()
        assert (adopted / "a").read_bytes() == b"of the old one"
        with pytest.raises(LostLock):
            publish(volume, volume.partial("m", old.holder), "m", manifest)
        assert not (tmp_path / "m").exists()
        publish(volume, adopted, "m", manifest)
        assert (tmp_path / "m" / "a").read_bytes() == b"of the old one"
        old.release()
        new.release()


def test_where_there_are_no_links_a_lock_still_has_one_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    with volume_of(tmp_path) as volume:
        first, second = Lock(volume, "m", NEVER_BEATS), Lock(volume, "m", TIMES)
        assert first.try_acquire()
        assert not second.try_acquire()
        assert second.acquire(soon)
        second.release()
        first.release()


def test_a_job_that_comes_second_leaves_what_is_published_alone(tmp_path: Path) -> None:
    with volume_of(tmp_path) as volume:
        partials = [volume.partial("m", holder) for holder in ("0a", "0b")]
        for partial, data in zip(partials, (b"first", b"second"), strict=True):
            partial.mkdir()
            manifest = complete(partial, data)
            if data == b"first":
                publish(volume, partial, "m", manifest)
        with pytest.raises(LostLock, match="published by another job"):
            publish(volume, partials[1], "m", manifest)
        assert (tmp_path / "m" / "a").read_bytes() == b"first"
