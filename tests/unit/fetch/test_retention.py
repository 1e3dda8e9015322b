"""Which folders stay on a volume."""

from pathlib import Path

from stoker_runtime.fetch.lock import Lock, LockTimes
from stoker_runtime.fetch.retention import forget, owners, refer, sweep
from stoker_runtime.fetch.volume import Volume
from tests.unit.fetch.origin import served
from tests.unit.fetch.runs import Place, fetch, listed

FILES = {"model.safetensors": b"weights", "config.json": b"{}"}
LISTED = [listed(path, data) for path, data in FILES.items()]
TIMES = LockTimes()


def folders(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.name != ".stoker"}


def test_a_new_revision_takes_the_place_of_what_its_owner_no_longer_keeps(tmp_path: Path) -> None:
    with served(FILES) as origin:
        for folder, keep in (("r1", ()), ("r2", ("r1",)), ("r3", ("r2",))):
            fetch(tmp_path, Place(origin.address, LISTED), folder=folder, keep=keep)
    assert folders(tmp_path) == {"r2", "r3"}


def test_what_another_owner_uses_stays(tmp_path: Path) -> None:
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED), folder="r1", owner="team-a.one")
        fetch(tmp_path, Place(origin.address, LISTED), folder="r1", owner="team-b.two")
        fetch(tmp_path, Place(origin.address, LISTED), folder="r2", owner="team-a.one")
        assert folders(tmp_path) == {"r1", "r2"}
        fetch(tmp_path, Place(origin.address, LISTED), folder="r2", owner="team-b.two")
    assert folders(tmp_path) == {"r2"}
    assert owners(Volume(tmp_path), "r2") == {"team-a.one", "team-b.two"}


def test_what_stoker_did_not_publish_stays(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "manifest.json").write_text('{"name": "of another tool"}')
    (tmp_path / "notes.txt").write_text("mine")
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED), folder="r1")
    assert folders(tmp_path) == {"datasets", "notes.txt", "r1"}


def test_a_folder_that_is_being_written_stays(tmp_path: Path) -> None:
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED), folder="r1")
    volume = Volume(tmp_path)
    forget(volume, "team-a.llama", ())
    lock = Lock(volume, "r1", TIMES)
    assert lock.try_acquire()
    assert sweep(volume, TIMES, never=()) == []
    lock.release()
    assert sweep(volume, TIMES, never=("r1",)) == []
    assert sweep(volume, TIMES, never=()) == ["r1"]
    assert folders(tmp_path) == set()
    assert not list(volume.trash.iterdir())


def test_half_fetched_folders_that_nobody_wants_any_more_go(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.prepare()
    refer(volume, "wanted", "team-a.llama")
    for folder in ("wanted", "unwanted"):
        volume.partial(folder, "0a").mkdir()
    sweep(volume, TIMES, never=())
    assert [path.name for path in volume.partials.iterdir()] == ["wanted.0a"]


def test_what_a_killed_run_left_in_the_trash_goes(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.prepare()
    (volume.trash / "old" / "sub").mkdir(parents=True)
    sweep(volume, TIMES, never=())
    assert not list(volume.trash.iterdir())
