from pathlib import Path

import pytest

from e2e.cluster.layout import layout_of
from e2e.cluster.refusal import Refusal

SOCKET_PATH_BYTES = 107


def test_clusters_of_different_names_share_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKER_CACHE", str(tmp_path))
    first, second = layout_of("a"), layout_of("b")
    assert {first.state, first.runtime}.isdisjoint({second.state, second.runtime})
    assert first.cgroup != second.cgroup


def test_the_socket_fits_however_deep_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKER_CACHE", str(tmp_path / ("deep" * 30)))
    assert len(str(layout_of("n" * 24).containerd_socket).encode()) <= SOCKET_PATH_BYTES


@pytest.mark.parametrize("name", ["", "Upper", "-dash", "dash-", "under_score", "../up", "a" * 25, "1st"])
def test_a_name_that_could_not_be_a_folder_or_cgroup_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="is no cluster name"):
        layout_of(name)
