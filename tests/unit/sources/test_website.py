"""https://"""

import hashlib

import pytest

from stoker_runtime.failure import Reason
from stoker_runtime.fetch.sources.website import Address, FolderSource, WebsiteSource
from tests.servers.faults import Fault
from tests.servers.files import Files
from tests.servers.serving import Running
from tests.unit.sources.directed import Directed, Refusal, content, listed

HOST = "files.example"
GGUF = b"GGUF" * 100
DIGEST = hashlib.sha256(GGUF).hexdigest()


def website(running: Running, web: Directed, path: str, **parts: str) -> WebsiteSource:
    web.elsewhere = {f"https://{HOST}": running.url}
    return WebsiteSource(Address(HOST, path, **parts), web)


def folder(running: Running, web: Directed, **parts: str) -> FolderSource:
    web.elsewhere = {f"https://{HOST}": running.url}
    return FolderSource(Address(HOST, "llama/", **parts), web)


@pytest.mark.parametrize("ranges", [True, False])
def test_one_file_is_a_model_also_from_a_server_without_ranges(web: Directed, ranges: bool) -> None:
    with Running(Files({"a/q4.gguf": GGUF}, ranges=ranges)) as running:
        source = website(running, web, "a/q4.gguf")
        assert listed(source)["q4.gguf"].size_bytes == len(GGUF)
        assert content(web, source, "q4.gguf") == GGUF


def test_a_change_is_seen_by_the_etag(web: Directed) -> None:
    files = Files({"q4.gguf": GGUF})
    with Running(files) as running:
        revision = website(running, web, "q4.gguf").resolve()
        assert website(running, web, "q4.gguf").resolve() == revision
        files.contents["q4.gguf"] = GGUF[::-1]
        assert website(running, web, "q4.gguf").resolve() != revision
        with Refusal(Reason.NOT_FOUND):
            website(running, web, "q4.gguf").files(revision)


def test_the_users_digest_is_the_revision_whatever_the_server_says(web: Directed) -> None:
    files = Files({"q4.gguf": GGUF, "q4.gguf.sha256": b"0" * 64})
    with Running(files) as running:
        source = website(running, web, "q4.gguf", sha256=DIGEST)
        revision = source.resolve()
        assert source.files(revision)[0].sha256 == DIGEST
        files.contents["q4.gguf"] = b"changed"
        assert website(running, web, "q4.gguf", sha256=DIGEST).resolve() == revision


@pytest.mark.parametrize("beside", [DIGEST, f"{DIGEST}  q4.gguf\n", f"{DIGEST.upper()} *q4.gguf"])
def test_a_digest_beside_the_file_is_taken(web: Directed, beside: str) -> None:
    with Running(Files({"q4.gguf": GGUF, "q4.gguf.sha256": beside.encode()})) as running:
        assert listed(website(running, web, "q4.gguf"))["q4.gguf"].sha256 == DIGEST


def test_a_front_page_in_place_of_the_digest_is_no_digest(web: Directed) -> None:
    with Running(Files({"q4.gguf": GGUF, "q4.gguf.sha256": b"<html>not found</html>"})) as running:
        assert listed(website(running, web, "q4.gguf"))["q4.gguf"].sha256 is None


def test_a_server_that_refuses_heads_will_do(web: Directed) -> None:
    with Running(Files({"q4.gguf": GGUF}, heads=False)) as running:
        assert listed(website(running, web, "q4.gguf"))["q4.gguf"].size_bytes == len(GGUF)


def test_a_file_that_is_not_there_is_not_found(web: Directed) -> None:
    with Running(Files({})) as running, Refusal(Reason.NOT_FOUND):
        website(running, web, "q4.gguf").resolve()


def test_a_query_goes_along_and_no_digest_is_looked_for_beside_it(web: Directed) -> None:
    with Running(Files({"q4.gguf": GGUF})) as running:
        source = website(running, web, "q4.gguf", query="signature=abc")
        assert listed(source)["q4.gguf"].sha256 is None
        assert all(request.url.endswith("q4.gguf?signature=abc") for _, request in web.asked)


def test_a_folder_has_the_files_that_its_list_names(web: Directed) -> None:
    sums = f"{DIGEST}  ./sub/a b.gguf\n{hashlib.sha256(b'{}').hexdigest()} *config.json\n"
    contents = {"llama/sub/a b.gguf": GGUF, "llama/config.json": b"{}", "llama/SHA256SUMS": sums.encode()}
    with Running(Files(contents)) as running:
        files = listed(folder(running, web))
        assert set(files) == {"sub/a b.gguf", "config.json"}
        assert files["sub/a b.gguf"].sha256 == DIGEST
        assert content(web, folder(running, web), "sub/a b.gguf") == GGUF


@pytest.mark.parametrize("sums", [None, b"", b"<html></html>", f"{DIGEST}  a\nbroken".encode()])
def test_a_folder_without_a_whole_list_says_what_is_missing(web: Directed, sums: bytes | None) -> None:
    contents = {} if sums is None else {"llama/SHA256SUMS": sums}
    with Running(Files(contents)) as running, Refusal(Reason.NOT_FOUND) as refusal:
        folder(running, web).resolve()
    assert "put a file SHA256SUMS there" in refusal.message


def test_the_users_digest_of_a_folder_is_that_of_its_list(web: Directed) -> None:
    sums = f"{DIGEST}  a.gguf\n".encode()
    with Running(Files({"llama/SHA256SUMS": sums})) as running:
        assert folder(running, web, sha256=hashlib.sha256(sums).hexdigest()).resolve()
        with Refusal(Reason.DIGEST_MISMATCH):
            folder(running, web, sha256="0" * 64).resolve()


def test_a_server_that_is_down_is_not_a_folder_without_a_list(web: Directed) -> None:
    with Running(Files({})) as running:
        running.faults.add(Fault(status=503))
        with Refusal(Reason.UNREACHABLE):
            folder(running, web).resolve()
