"""s3://"""

import hashlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from stoker_runtime.failure import Reason
from stoker_runtime.fetch.sources.amazon import bucket_address
from stoker_runtime.fetch.sources.bucket import BucketSource
from stoker_runtime.fetch.sources.prefix import Place
from tests.servers.s3 import S3, Bucket
from tests.servers.serving import Running
from tests.unit.sources.directed import Directed, Refusal, content, listed

KEYS = {"AKIDEXAMPLE": "secret/key+with=signs"}
FILES: dict[str, Any] = {
    "llama/config.json": b"{}",
    "llama/model 1+1=2.safetensors": b"w" * 1000,
    "llama/sub/a&b.txt": b"a",
    "llama-other/config.json": b"another model's",
    "llama/": b"",
    "single.gguf": b"g" * 100,
}
PATHS = {"config.json", "model 1+1=2.safetensors", "sub/a&b.txt"}


@pytest.fixture
def service() -> S3:
    service = S3(KEYS)
    service.buckets["models"] = Bucket(dict(FILES), public=True)
    return service


def source(
    running: Running,
    web: Directed,
    prefix: str = "llama",
    label: str | None = None,
    find: Callable[[], Any] | None = lambda: None,
    **environment: str,
) -> BucketSource:
    place = Place("models", prefix, label)
    return BucketSource(place, web, {"AWS_ENDPOINT_URL": running.url, **environment}, find_credentials=find)


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(service: S3, web: Directed) -> None:
    with Running(service) as running:
        assert set(listed(source(running, web))) == PATHS


def test_a_prefix_may_be_the_key_of_one_object(service: S3, web: Directed) -> None:
    with Running(service) as running:
        assert set(listed(source(running, web, "single.gguf"))) == {"single.gguf"}


def test_names_with_signs_of_an_address_arrive(service: S3, web: Directed) -> None:
    with Running(service) as running:
        assert content(web, source(running, web), "model 1+1=2.safetensors") == b"w" * 1000
        assert content(web, source(running, web), "sub/a&b.txt") == b"a"


def test_all_pages_are_read(service: S3, web: Directed) -> None:
    service.page_size = 1
    with Running(service) as running:
        assert set(listed(source(running, web))) == PATHS


def test_an_empty_prefix_says_so(service: S3, web: Directed) -> None:
    with Running(service) as running, Refusal(Reason.NOT_FOUND) as refusal:
        source(running, web, "lama").resolve()
    assert "nothing lies below s3://models/lama" in refusal.message


def test_the_revision_changes_with_the_content_and_with_nothing_else(service: S3, web: Directed) -> None:
    with Running(service) as running:
        revision = source(running, web).resolve()
        service.buckets["models"].objects["llama-other/config.json"] = b"changed"
        assert source(running, web).resolve() == revision
        service.buckets["models"].objects["llama/config.json"] = b"[]"
        assert source(running, web).resolve() != revision


def test_a_label_is_the_beginning_of_the_revision(service: S3, web: Directed) -> None:
    with Running(service) as running:
        revision = source(running, web, label="2026/11").resolve()
    assert revision.startswith("2026-11-")
    assert len(revision) == len("2026-11-") + 12


def test_a_bucket_that_changed_since_is_not_fetched_by_halves(service: S3, web: Directed) -> None:
    with Running(service) as running:
        before = source(running, web)
        revision = before.resolve()
        file = before.files(revision)[0]
        service.buckets["models"].objects["llama/config.json"] = b"[]"
        with Refusal(Reason.UNREACHABLE) as refusal:
            web.part(before.request(revision, file), 0, 2)
        assert "412" in refusal.message
        with Refusal(Reason.NOT_FOUND) as refusal:
            source(running, web).files(revision)
        assert f"not at revision {revision} any more" in refusal.message


def test_an_etag_is_an_md5_unless_a_key_service_encrypts(service: S3, web: Directed) -> None:
    with Running(service) as running:
        assert listed(source(running, web))["config.json"].md5 == hashlib.md5(b"{}").hexdigest()  # noqa: S324
        service.buckets["models"].encryption = "aws:kms"
        assert listed(source(running, web))["config.json"].md5 is None


def test_a_checksum_that_the_object_carries_is_taken(service: S3, web: Directed) -> None:
    service.buckets["models"].checksums = True
    with Running(service) as running:
        assert listed(source(running, web))["config.json"].sha256 == hashlib.sha256(b"{}").hexdigest()


def test_a_private_bucket_without_credentials_says_what_is_missing(service: S3, web: Directed) -> None:
    service.buckets["models"].public = False
    with Running(service) as running, Refusal(Reason.FORBIDDEN) as refusal:
        source(running, web).resolve()
    assert "no credentials were found" in refusal.message
    assert "s3:GetObject" in refusal.message


def test_a_listing_without_an_end_is_not_read_to_it(service: S3, web: Directed) -> None:
    service.buckets["models"].objects.update({f"big/{number:05d}": b"" for number in range(20_001)})
    service.page_size = 7000
    with Running(service) as running, Refusal(Reason.UNSAFE_SOURCE) as refusal:
        source(running, web, "big").resolve()
    assert "more than 20,000 files" in refusal.message


@pytest.mark.parametrize(
    ("bucket", "region", "environment", "address"),
    [
        ("models", "eu-west-1", {}, "https://models.s3.eu-west-1.amazonaws.com/"),
        ("my.models", "eu-west-1", {}, "https://s3.eu-west-1.amazonaws.com/my.models/"),
        ("models", "cn-north-1", {}, "https://models.s3.cn-north-1.amazonaws.com.cn/"),
        ("models", "x", {"AWS_ENDPOINT_URL": "http://minio:9000/"}, "http://minio:9000/models/"),
        ("models", "x", {"AWS_ENDPOINT_URL": "a", "AWS_ENDPOINT_URL_S3": "b"}, "b/models/"),
    ],
)
def test_a_bucket_has_a_host_of_its_own_only_where_that_works(
    bucket: str, region: str, environment: dict[str, str], address: str
) -> None:
    assert bucket_address(bucket, region, environment) == address


class TestSigned:
    """With the vendor's library, where it is installed."""

    @pytest.fixture(autouse=True)
    def _signer(self) -> None:
        pytest.importorskip("botocore")

    def test_a_signature_opens_listings_heads_and_ranges(self, service: S3, web: Directed) -> None:
        service.buckets["models"].public = False
        key, secret = next(iter(KEYS.items()))
        given = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        with Running(service) as running:
            signed = source(running, web, find=None, **given)
            assert set(listed(signed)) == PATHS
            assert content(web, signed, "model 1+1=2.safetensors") == b"w" * 1000
            assert "?" not in signed.request("", listed(signed)["config.json"]).url

    def test_a_session_token_goes_along(self, service: S3, web: Directed) -> None:
        service.buckets["models"].public, service.session_token = False, "session"
        key, secret = next(iter(KEYS.items()))
        given = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "session"}
        with Running(service) as running:
            assert set(listed(source(running, web, find=None, **given))) == PATHS

    @pytest.mark.parametrize(("secret", "region"), [("wrong", "us-east-1"), ("secret/key+with=signs", "eu-west-1")])
    def test_a_wrong_key_or_region_is_refused(self, service: S3, web: Directed, secret: str, region: str) -> None:
        service.buckets["models"].public = False
        given = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": region}
        with Running(service) as running, Refusal(Reason.FORBIDDEN) as refusal:
            source(running, web, find=None, **given).resolve()
        assert "AWS_REGION" in refusal.message
        assert secret not in refusal.message

    def test_credentials_that_renew_themselves_are_asked_for_every_request(self, service: S3, web: Directed) -> None:
        service.buckets["models"].public = False
        frozen = SimpleNamespace(access_key="AKIDEXAMPLE", secret_key=KEYS["AKIDEXAMPLE"], token=None)
        asked: list[int] = []

        def freeze() -> Any:
            asked.append(1)
            return frozen

        with Running(service) as running:
            renewing = source(running, web, find=lambda: SimpleNamespace(get_frozen_credentials=freeze))
            content(web, renewing, "config.json")
        assert len(asked) > 3
