"""hf://"""

import hashlib

import pytest

from stoker_runtime.failure import Reason
from stoker_runtime.fetch.sources.hub import HubSource
from tests.servers.contents import blob_sha1
from tests.servers.faults import METADATA_ADDRESS, Fault
from tests.servers.hub import Cdn, Hub
from tests.servers.serving import Running
from tests.unit.sources.directed import Directed, Refusal, content, listed

WEIGHTS = bytes(range(256)) * 40
FILES = {"config.json": b'{"a": 1}', "model.safetensors": WEIGHTS, "deep/er/merges.txt": b"a b"}
NAME = "org/model"
SECRET = "hf_s3cret"  # noqa: S105 - opens a server on loopback alone


@pytest.fixture
def hub() -> Hub:
    hub = Hub()
    hub.push(NAME, FILES)
    return hub


def source(running: Running, web: Directed, revision: str | None = None, **environment: str) -> HubSource:
    return HubSource(NAME, revision, web, {"HF_ENDPOINT": running.url + "/", **environment})


def test_a_branch_becomes_a_commit_and_the_commit_stays_when_the_branch_moves(hub: Hub, web: Directed) -> None:
    with Running(hub) as running:
        before = source(running, web)
        commit = before.resolve()
        hub.push(NAME, {"config.json": b"new"})
        assert source(running, web).resolve() != commit
        assert source(running, web, commit).resolve() == commit
        assert {file.path for file in before.files(commit)} == set(FILES)


def test_a_branch_with_a_slash_is_one_name(hub: Hub, web: Directed) -> None:
    commit = hub.push(NAME, {"config.json": b"pull request"}, branch="refs/pr/1")
    with Running(hub) as running:
        assert source(running, web, "refs/pr/1").resolve() == commit


def test_large_files_have_their_sha256_and_small_ones_that_of_gits_blob(hub: Hub, web: Directed) -> None:
    with Running(hub) as running:
        files = listed(source(running, web))
    assert files["model.safetensors"].sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert files["model.safetensors"].size_bytes == len(WEIGHTS)
    assert files["config.json"].sha256 is None
    assert files["config.json"].git_blob_sha1 == blob_sha1(FILES["config.json"])


@pytest.mark.parametrize("origin", [None, "https://huggingface.co"])
def test_all_pages_of_a_listing_are_read_also_through_a_mirror(hub: Hub, web: Directed, origin: str | None) -> None:
    hub.page_size, hub.link_origin = 1, origin
    with Running(hub) as running:
        assert set(listed(source(running, web))) == set(FILES)
        assert all(request.url.startswith(running.url) for _, request in web.asked)


def test_a_listing_that_goes_round_in_a_circle_is_no_listing(web: Directed) -> None:
    class Circle(Hub):
        page_size = 0

    hub = Circle(page_size=0)
    hub.push(NAME, FILES)
    with Running(hub) as running, Refusal(Reason.UNREACHABLE) as refusal:
        listed(source(running, web))
    assert "circle" in refusal.message


def test_large_files_come_from_another_host_which_never_sees_the_token(web: Directed) -> None:
    cdn = Cdn(FILES)
    with Running(cdn) as store:
        hub = Hub(store.url)
        hub.push(NAME, FILES, private=True)
        hub.accounts[SECRET] = {NAME}
        with Running(hub) as running:
            assert content(web, source(running, web, HF_TOKEN=f"{SECRET}\n"), "model.safetensors") == WEIGHTS
    assert cdn.tokens_seen == 0


def test_a_gated_model_says_where_to_accept_its_licence(hub: Hub, web: Directed) -> None:
    hub.push(NAME, FILES, gated=True)
    hub.accounts[SECRET] = set()
    with Running(hub) as running:
        running.faults.add(Fault(status=403), path="/api/*")
        with Refusal(Reason.FORBIDDEN) as refusal:
            listed(source(running, web, HF_TOKEN=SECRET))
        assert f"accept the licence at {running.url}/{NAME}" in refusal.message
        assert SECRET not in refusal.message


@pytest.mark.parametrize(
    ("token", "sentence"), [("", "give a token in HF_TOKEN"), ("wrong", "put a valid one in HF_TOKEN")]
)
def test_without_the_right_token_a_private_model_is_not_there(
    hub: Hub, web: Directed, token: str, sentence: str
) -> None:
    hub.push(NAME, FILES, private=True)
    with Running(hub) as running, Refusal(Reason.UNAUTHORIZED) as refusal:
        source(running, web, HF_TOKEN=token).resolve()
    assert sentence in refusal.message
    assert not token or token not in refusal.message.replace("wrong one", "")


def test_an_unknown_revision_is_named(hub: Hub, web: Directed) -> None:
    with Running(hub) as running, Refusal(Reason.NOT_FOUND) as refusal:
        source(running, web, "v9").resolve()
    assert "no revision v9 of org/model" in refusal.message


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_burst_of_errors_is_waited_out(hub: Hub, web: Directed, status: int) -> None:
    with Running(hub) as running:
        running.faults.add(Fault(status=status, retry_after="0"), requests=3)
        assert set(listed(source(running, web))) == set(FILES)


def test_a_sign_in_page_in_place_of_the_hub_is_told_as_such(web: Directed) -> None:
    class Proxy(Hub):
        pass

    with Running(Proxy()) as running:
        running.faults.add(Fault(status=200))
        with Refusal(Reason.UNREACHABLE) as refusal:
            source(running, web).resolve()
    assert "does a proxy answer in its place" in refusal.message


def test_a_hub_that_sends_on_to_the_metadata_address_is_refused(hub: Hub, web: Directed) -> None:
    with Running(hub) as running:
        running.faults.add(Fault(redirect_to=METADATA_ADDRESS))
        with Refusal(Reason.UNSAFE_SOURCE):
            source(running, web).resolve()
