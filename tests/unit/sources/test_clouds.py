"""gs:// and az://"""

import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from stoker_runtime.failure import Reason
from stoker_runtime.fetch.sources.azure import AzureSource
from stoker_runtime.fetch.sources.azure_access import access_of, signature
from stoker_runtime.fetch.sources.google import GoogleSource
from stoker_runtime.fetch.sources.prefix import Place
from tests.servers.clouds import AzureStorage, GoogleStorage
from tests.servers.serving import Running
from tests.unit.sources.directed import Directed, Refusal, content, listed

FILES = {
    "llama/config.json": b"{}",
    "llama/sub/a b#1.txt": b"a" * 9,
    "llama-2/config.json": b"other",
    "llama/": b"",
    "one.gguf": b"g",
}
PATHS = {"config.json", "sub/a b#1.txt"}
MD5 = hashlib.md5(b"{}").hexdigest()  # noqa: S324
TOKEN, WRONG = "t", "sig=wrong"
ACCOUNT_KEY = "c2VjcmV0"


def google(running: Running, web: Directed, prefix: str = "llama", token: str | None = None) -> GoogleSource:
    environment = {"STORAGE_EMULATOR_HOST": running.authority}
    return GoogleSource(Place("models", prefix), web, environment, find_token=lambda: token)


def azure(running: Running, web: Directed, prefix: str = "llama", **environment: str) -> AzureSource:
    given = {"AZURE_STORAGE_ENDPOINT": running.url, **environment}
    return AzureSource("contoso", Place("models", prefix), web, given)


@pytest.mark.parametrize("page_size", [1, 1000])
def test_google_lists_what_is_below_the_prefix_with_its_md5(web: Directed, page_size: int) -> None:
    with Running(GoogleStorage(FILES, page_size=page_size)) as running:
        files = listed(google(running, web))
        assert set(files) == PATHS
        assert (files["config.json"].md5, files["config.json"].size_bytes) == (MD5, 2)
        assert content(web, google(running, web), "sub/a b#1.txt") == b"a" * 9
        assert set(listed(google(running, web, "one.gguf"))) == {"one.gguf"}


def test_google_reads_the_generation_that_was_listed_or_nothing(web: Directed) -> None:
    storage = GoogleStorage(FILES)
    with Running(storage) as running:
        source = google(running, web)
        revision = source.resolve()
        file = source.files(revision)[0]
        storage.generation = 2
        with Refusal(Reason.NOT_FOUND):
            web.part(source.request(revision, file), 0, 1)
        with Refusal(Reason.NOT_FOUND):
            google(running, web).files(revision)


def test_google_gets_a_token_or_says_that_it_wants_one(web: Directed) -> None:
    with Running(GoogleStorage(FILES, token=TOKEN)) as running:
        assert set(listed(google(running, web, token=TOKEN))) == PATHS
        with Refusal(Reason.UNAUTHORIZED):
            google(running, web).resolve()


def test_an_empty_google_bucket_has_no_items_and_no_revision(web: Directed) -> None:
    with Running(GoogleStorage({})) as running, Refusal(Reason.NOT_FOUND) as refusal:
        google(running, web).resolve()
    assert "nothing lies below gs://models/llama" in refusal.message


@pytest.mark.parametrize("page_size", [1, 1000])
def test_azure_lists_what_is_below_the_prefix_with_its_md5(web: Directed, page_size: int) -> None:
    with Running(AzureStorage(FILES, container="models", page_size=page_size)) as running:
        files = listed(azure(running, web))
        assert set(files) == PATHS
        assert (files["config.json"].md5, files["config.json"].size_bytes) == (MD5, 2)
        assert content(web, azure(running, web), "sub/a b#1.txt") == b"a" * 9
        assert set(listed(azure(running, web, "one.gguf"))) == {"one.gguf"}


def test_azure_reads_the_version_that_was_listed_or_nothing(web: Directed) -> None:
    storage = AzureStorage(FILES, container="models")
    with Running(storage) as running:
        source = azure(running, web)
        revision = source.resolve()
        file = source.files(revision)[0]
        storage.blobs["llama/config.json"] = b"[]"
        with Refusal(Reason.UNREACHABLE):
            web.part(source.request(revision, file), 0, 1)


def test_azure_takes_a_shared_access_signature_and_names_it_in_no_error(web: Directed) -> None:
    with Running(AzureStorage(FILES, container="models", signature="s3cret")) as running:
        given = "?sv=1&sig=s3cret"
        assert set(listed(azure(running, web, AZURE_STORAGE_SAS_TOKEN=given))) == PATHS
        with Refusal(Reason.FORBIDDEN) as refusal:
            azure(running, web, AZURE_STORAGE_SAS_TOKEN=WRONG).resolve()
        assert "wrong" not in refusal.message


def test_an_account_key_signs_for_one_container_to_read_and_list_and_not_for_long() -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    fields = {name: values[0] for name, values in parse_qs(signature("contoso", "models", ACCOUNT_KEY, now)).items()}
    assert (fields["sp"], fields["sr"]) == ("rl", "c")
    # The vendor's own library makes the same of the same key, times and version.
    assert fields["sig"] == "9yVb+XCmT7q7/X2HWxNk/j6kaIojWKSFqctn/bkPeWE="
    assert (fields["st"], fields["se"]) == ("2026-11-21T11:45:00Z", "2026-11-22T00:00:00Z")


def test_an_account_key_that_is_none_is_not_repeated() -> None:
    with Refusal(Reason.UNAUTHORIZED) as refusal:
        access_of("contoso", "models", {"AZURE_STORAGE_KEY": "nonsense!"})()
    assert "nonsense" not in refusal.message


def test_an_emulator_is_asked_by_nobody_in_particular() -> None:
    proof = access_of("contoso", "models", {"AZURE_STORAGE_ENDPOINT": "http://azurite:10000/contoso"})()
    assert (proof.query, proof.bearer) == ("", "")
