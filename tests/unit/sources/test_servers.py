"""The servers that tests run against do what they are told."""

import hashlib
import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from e2e.cluster.pki import new_authority
from tests.servers.faults import METADATA_ADDRESS, Fault
from tests.servers.files import Files
from tests.servers.serving import Running

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def running() -> Iterator[Running]:
    with Running(Files({"a": CONTENT})) as running:
        yield running


def get(
    running: Running, timeout: float = 5.0, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=timeout)
    try:
        connection.request(method, "/a", headers={name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as response:
            head = {name.lower(): value for name, value in response.getheaders()}
            try:
                return response.status, head, response.read()
            except http.client.IncompleteRead as error:
                return response.status, head, error.partial
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, len(CONTENT)), ("bytes=-7", len(CONTENT) - 7, len(CONTENT))],
)
def test_a_range_is_answered_with_that_part(running: Running, asked: str, first: int, end: int) -> None:
    status, head, body = get(running, Range=asked)
    assert (status, body) == (206, CONTENT[first:end])
    assert head["content-range"] == f"bytes {first}-{end - 1}/{len(CONTENT)}"


def test_a_range_behind_the_end_is_refused_and_one_of_another_version_is_the_whole(running: Running) -> None:
    assert get(running, Range=f"bytes={len(CONTENT)}-")[0] == 416
    assert get(running, Range="bytes=5-9", If_Range='"old"')[::2] == (200, CONTENT)
    assert get(running, If_Match='"old"')[0] == 412


def test_a_head_is_counted_as_no_bytes(running: Running) -> None:
    status, head, body = get(running, method="HEAD")
    assert (status, head["content-length"], body) == (200, str(len(CONTENT)), b"")
    assert (running.faults.requests("/a"), running.faults.sent_bytes("/a")) == (1, 0)


def test_a_server_may_know_no_ranges() -> None:
    with Running(Files({"a": CONTENT}, ranges=False)) as running:
        assert get(running, Range="bytes=0-9")[::2] == (200, CONTENT)


@pytest.mark.parametrize("at", [0, 1, 70_000, len(CONTENT) - 1])
def test_a_connection_is_dropped_after_the_byte_and_so_often(running: Running, at: int) -> None:
    running.faults.add(Fault(drop_at_byte=at), requests=2)
    assert [len(get(running)[2]) for _ in range(3)] == [at, at, len(CONTENT)]
    assert running.faults.sent_bytes("/a") == 2 * at + len(CONTENT)


def test_offsets_count_in_the_content_also_for_a_range(running: Running) -> None:
    running.faults.add(Fault(drop_at_byte=100))
    assert get(running, Range="bytes=90-199")[2] == CONTENT[90:100]
    assert get(running, Range="bytes=150-199")[2] == CONTENT[150:200]


def test_a_stall_sends_nothing_and_keeps_the_connection_until_it_is_released(running: Running) -> None:
    running.faults.add(Fault(stall_at_byte=10), requests=1)
    with pytest.raises(TimeoutError):
        get(running, timeout=0.1)
    running.faults.clear()
    assert get(running)[2] == CONTENT


def test_one_byte_is_wrong_and_no_other(running: Running) -> None:
    running.faults.add(Fault(wrong_byte_at=70_001), requests=1)
    body = get(running)[2]
    assert [number for number, (was, is_) in enumerate(zip(CONTENT, body, strict=True)) if was != is_] == [70_001]


def test_a_cut_file_says_its_own_length(running: Running) -> None:
    running.faults.add(Fault(cut_to_bytes=100))
    status, head, body = get(running)
    assert (status, head["content-length"], body) == (200, "100", CONTENT[:100])


def test_statuses_come_in_bursts_and_on_the_named_paths_alone(running: Running) -> None:
    running.faults.add(Fault(status=429, retry_after="7"), path="/a", requests=2)
    running.faults.add(Fault(status=500), path="/b")
    found = [get(running)[:2] for _ in range(3)]
    assert [status for status, _ in found] == [429, 429, 200]
    assert found[0][1]["retry-after"] == "7"


def test_a_redirect_leads_where_it_must_not(running: Running) -> None:
    running.faults.add(Fault(redirect_to=METADATA_ADDRESS))
    status, head, _ = get(running)
    assert (status, head["location"]) == (302, METADATA_ADDRESS)


def test_a_start_may_be_slow_and_so_may_the_bytes(running: Running) -> None:
    running.faults.add(Fault(delay_seconds=0.1), requests=1)
    running.faults.add(Fault(bytes_per_second=len(CONTENT) / 0.15), requests=1)
    for least in (0.1, 0.14):
        began = time.monotonic()
        assert get(running)[2] == CONTENT
        assert time.monotonic() - began >= least


def test_faults_can_be_set_from_elsewhere(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    connection.request("POST", "/_faults", json.dumps({"status": 503, "path": "/a", "requests": 1}))
    assert connection.getresponse().read() == b"[]"
    assert get(running)[0] == 503
    connection.request("GET", "/_faults")
    (served,) = json.loads(connection.getresponse().read())
    assert (served["path"], served["status"]) == ("/a", 503)
    connection.request("POST", "/_faults", json.dumps({"explode": 1}))
    response = connection.getresponse()
    assert (response.status, b"no fault 'explode'" in response.read()) == (400, True)
    connection.close()


def test_many_are_served_at_once(running: Running) -> None:
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(get(running)[2])) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [CONTENT] * 16


def test_tls_is_spoken_with_a_given_certificate(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    pair = authority.issue("server", "server", ips=("127.0.0.1",))
    with Running(Files({"a": CONTENT}), certificate=(pair.certificate_file, pair.key_file)) as running:
        context = ssl.create_default_context(cafile=authority.certificate_file)
        with urlopen(f"{running.url}/a", context=context, timeout=5) as response:  # noqa: S310 - our own server
            assert response.read() == CONTENT


@pytest.mark.parametrize("kind", ["hub", "cdn", "s3", "files", "registry", "ollama"])
def test_every_server_starts_on_its_own_and_with_the_standard_library_alone(kind: str, tmp_path: Path) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    (tmp_path / "org" / "name" / "model").write_text("weights")
    command = [sys.executable, "-I", "-S", "-c", _ALONE, str(Path.cwd()), kind, "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
            connection.request("GET", _KNOWN[kind])
            response = connection.getresponse()
            assert (response.status, bool(response.read())) == (200, True)
            connection.close()
        finally:
            process.kill()


_ALONE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tests.servers.__main__ import main; main(sys.argv[1:])"
_KNOWN = {
    "hub": "/org/name/resolve/main/model",
    "cdn": f"/{hashlib.sha256(b'weights').hexdigest()}?signature=secret",
    "s3": "/org?list-type=2",
    "files": "/org/name/model",
    "registry": "/v2/org/manifests/name",
    "ollama": "/v2/library/org/manifests/name",
}
