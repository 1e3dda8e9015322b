from pathlib import Path

import pytest

from e2e.cluster.cache import cache_folder, require_free_disk
from e2e.cluster.refusal import Refusal


def test_too_little_disk_is_refused_with_what_is_wanted_and_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"a cluster needs 1000000000 GiB of disk and .* GiB free"):
        require_free_disk(tmp_path, 10**9, "a cluster")


def test_enough_disk_is_fine(tmp_path: Path) -> None:
    require_free_disk(tmp_path, 0, "nothing")


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKER_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    assert cache_folder().is_dir()
