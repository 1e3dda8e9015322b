"""What can go wrong on the way: the folder is published whole and verified, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from stoker_runtime.failure import Reason, WeightsError
from tests.unit.fetch.origin import Fault, served
from tests.unit.fetch.runs import LIMITS, PART, QUICK, Place, content, fetch, is_published, listed

LARGE = content(PART * 6 + 777)
FILES = {"model.safetensors": LARGE, "config.json": b"{}", "sub/empty.txt": b""}
LISTED = [listed(path, data) for path, data in FILES.items()]
IMPATIENT = replace(QUICK, patience_seconds=0.2)


def test_files_come_whole_and_verified(tmp_path: Path) -> None:
    with served(FILES) as origin:
        fetched = fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)
        assert fetched.total_bytes == fetched.fetched_bytes == origin.sent_bytes == len(LARGE) + 2
        assert len([asked for asked in origin.asked if asked.path == "model.safetensors"]) == 7
    assert [path.name for path in (tmp_path / ".stoker" / "partial").iterdir()] == []
    assert [path.name for path in (tmp_path / ".stoker" / "locks").iterdir()] == []


def test_a_second_run_ends_at_once_without_a_byte(tmp_path: Path) -> None:
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED))
        origin.asked.clear()
        assert fetch(tmp_path, Place(origin.address, LISTED)).fetched_bytes == 0
        assert origin.asked == []


@pytest.mark.parametrize("byte", [0, 1, 1000, 16 << 10, PART - 1])
def test_a_dropped_connection_goes_on_where_it_stopped(tmp_path: Path, byte: int) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(drop_after=byte, path="safetensors", times=5))
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)
        assert origin.sent_bytes == len(LARGE) + 2


def test_a_stalled_transfer_reconnects_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(stall_after=5000, path="safetensors", times=2))
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)
        assert origin.sent_bytes == len(LARGE) + 2


def test_a_slow_start_is_waited_for(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(head_after_seconds=0.2, times=2))
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)


def test_a_head_that_never_comes_is_asked_for_again(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(head_after_seconds=30, times=1))
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_burst_of_refusals_that_pass_is_waited_out(tmp_path: Path, status: int) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(status=status, headers={"Retry-After": "0"}, times=6))
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)


def test_when_patience_ends_the_message_says_how_long_it_was_and_why(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(status=503, times=10_000))
        with pytest.raises(WeightsError) as raised:
            fetch(tmp_path, Place(origin.address, LISTED), times=IMPATIENT)
    assert raised.value.reason == Reason.UNREACHABLE
    assert "answers 503" in raised.value.message
    assert not is_published(tmp_path, FILES)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.UNAUTHORIZED),
        (403, Reason.FORBIDDEN),
        (404, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
    ],
)
def test_a_refusal_is_final_and_shows_no_query(tmp_path: Path, status: int, reason: Reason) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(status=status, path="safetensors", times=10_000))
        source = Place(origin.address, LISTED, query="?X-Signature=hidden", headers={"Authorization": "Bearer hidden"})
        with pytest.raises(WeightsError) as raised:
            fetch(tmp_path, source)
    assert raised.value.reason == reason
    assert "/model.safetensors" in raised.value.message
    assert "hidden" not in raised.value.message
    assert not is_published(tmp_path, FILES)


def test_a_signature_that_ran_out_is_asked_for_anew(tmp_path: Path) -> None:
    one = replace(LIMITS, transfer=replace(LIMITS.transfer, connections=1))
    with served(FILES) as origin:
        origin.faults += [Fault(path="signed", times=2), Fault(status=403, path="signed", times=1)]
        signed = {"Location": "/model.safetensors?signed"}
        origin.faults.append(Fault(status=302, headers=signed, path="model.safetensors?new", times=99))
        fetch(tmp_path, Place(origin.address, LISTED[:1], query="?new"), limits=one)
        assert is_published(tmp_path, {"model.safetensors": LARGE})
        assert len([asked for asked in origin.asked if asked.sent_bytes]) == 7
        assert len(origin.asked) == 7 + 1 + 2


def test_a_wrong_byte_is_fetched_once_more(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(wrong_byte=PART * 2 + 5, path="safetensors", times=5))
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)


def test_bytes_that_stay_wrong_are_never_published(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(wrong_byte=5, path="safetensors", times=10_000))
        with pytest.raises(WeightsError) as raised:
            fetch(tmp_path, Place(origin.address, LISTED))
    assert raised.value.reason == Reason.DIGEST_MISMATCH
    assert LISTED[0].sha256 is not None
    assert all(part in raised.value.message for part in ("model.safetensors", LISTED[0].sha256))
    assert not is_published(tmp_path, FILES)


@pytest.mark.parametrize("given", [LARGE[:-1], LARGE + b"x", LARGE[: PART * 2], b""])
@pytest.mark.parametrize("has_ranges", [True, False])
@pytest.mark.parametrize("is_chunked", [True, False])
def test_more_or_fewer_bytes_than_listed_are_refused(
    tmp_path: Path, given: bytes, has_ranges: bool, is_chunked: bool
) -> None:
    with served({"model.safetensors": given}) as origin:
        origin.has_ranges, origin.is_chunked = has_ranges, is_chunked
        with pytest.raises(WeightsError) as raised:
            fetch(tmp_path, Place(origin.address, LISTED[:1]), times=IMPATIENT)
    too_short_to_tell = is_chunked and not has_ranges and len(given) < len(LARGE)
    assert raised.value.reason == (Reason.UNREACHABLE if too_short_to_tell else Reason.SIZE_MISMATCH)
    assert not is_published(tmp_path, FILES)


def test_a_server_without_ranges_gives_one_stream(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.has_ranges = False
        origin.faults.append(Fault(drop_after=PART * 3, path="safetensors", times=6))
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_file_of_unknown_size_comes_whole(tmp_path: Path, is_chunked: bool) -> None:
    with served(FILES) as origin:
        origin.is_chunked = is_chunked
        origin.faults.append(Fault(drop_after=PART, path="safetensors", times=2))
        unknown = [listed(path, data, size_bytes=None, sha256=None) for path, data in FILES.items()]
        fetch(tmp_path, Place(origin.address, unknown))
        assert is_published(tmp_path, FILES)


@pytest.mark.parametrize("digest", [None, "sha256"])
@pytest.mark.parametrize("request_number", [2, 4, 7])
def test_a_file_that_changes_in_the_middle_is_never_mixed(
    tmp_path: Path, digest: str | None, request_number: int
) -> None:
    changed = content(len(LARGE), seed=2)
    with served({"model.safetensors": LARGE}) as origin:

        def change(number: int) -> None:
            if number >= request_number:
                origin.files["model.safetensors"] = changed

        origin.before = change
        wanted = listed("model.safetensors", changed)
        fetch(tmp_path, Place(origin.address, [wanted if digest else replace(wanted, sha256=None)]))
        assert is_published(tmp_path, {"model.safetensors": changed})


def test_a_file_that_never_stops_changing_is_final(tmp_path: Path) -> None:
    with served({"model.safetensors": LARGE}) as origin:
        origin.before = lambda number: origin.files.update({"model.safetensors": content(len(LARGE), seed=number)})
        with pytest.raises(WeightsError) as raised:
            fetch(tmp_path, Place(origin.address, [listed("model.safetensors", LARGE, sha256=None)]))
    assert raised.value.reason == Reason.DIGEST_MISMATCH
    assert "changes at its source" in raised.value.message


def test_a_redirect_to_a_metadata_service_is_refused(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(status=302, headers={"Location": "http://169.254.169.254/latest"}, times=99))
        with pytest.raises(WeightsError) as raised:
            fetch(tmp_path, Place(origin.address, LISTED))
    assert raised.value.reason == Reason.UNSAFE_SOURCE
    assert "169.254.169.254" in raised.value.message
    assert not is_published(tmp_path, FILES)
