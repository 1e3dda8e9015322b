"""oci:// and ollama://"""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from stoker_runtime.failure import Reason
from stoker_runtime.fetch.sources.layers import AsFile, Layer, Unpacked, publication_of
from stoker_runtime.fetch.sources.ollama import OllamaSource
from stoker_runtime.fetch.sources.registry import RegistrySource
from stoker_runtime.fetch.sources.registry_client import RegistryClient
from tests.servers.faults import Fault
from tests.servers.hub import Cdn
from tests.servers.registry import Pushed, Registry
from tests.servers.serving import Running
from tests.unit.sources.directed import Directed, Refusal, content, listed

TITLE = "org.opencontainers.image.title"
WEIGHTS = b"w" * 3000
LAYERS = [
    Pushed(b"{}", "application/vnd.oci.image.layer.v1.tar", {TITLE: "config.json"}),
    Pushed(WEIGHTS, "application/octet-stream", {TITLE: "model.safetensors"}),
]
NAME = "models/llama"
ACCOUNT = ("user", "pass:word")


def pull_secret(folder: Path, host: str, account: tuple[str, str] = ACCOUNT) -> dict[str, str]:
    auth = b64encode(":".join(account).encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {f"https://{host}/v1/": {"auth": auth}}}))
    return {"DOCKER_CONFIG": str(folder)}


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def client(
    running: Running,
    web: Directed,
    name: str = NAME,
    environment: dict[str, str] | None = None,
    clock: Clock | None = None,
) -> RegistryClient:
    given = {"STOKER_PLAIN_HTTP_HOSTS": f"other, {running.authority}", **(environment or {})}
    return RegistryClient(running.authority, name, web, given, clock=clock or Clock())


def test_layers_with_a_title_are_files_and_the_revision_is_the_digest(web: Directed) -> None:
    registry = Registry()
    digest = registry.push(NAME, "v1", LAYERS)
    with Running(registry) as running:
        source = RegistrySource(client(running, web), "v1")
        revision = source.resolve()
        assert revision == digest.replace(":", "-")
        assert len(revision) <= 80
        assert list(listed(source)) == ["config.json", "model.safetensors"]
        assert content(web, source, "model.safetensors") == WEIGHTS
        registry.push(NAME, "v1", LAYERS[:1])
        assert len(source.files(revision)) == 2
        assert RegistrySource(client(running, web), digest).resolve() == revision


def test_a_token_is_got_with_the_pull_secret_and_got_anew_before_it_ends(web: Directed, tmp_path: Path) -> None:
    registry, clock = Registry(ACCOUNT), Clock()
    registry.push(NAME, "v1", LAYERS)
    with Running(registry) as running:
        environment = pull_secret(tmp_path, running.authority)
        source = RegistrySource(client(running, web, environment=environment, clock=clock), "v1")
        assert content(web, source, "model.safetensors") == WEIGHTS
        assert registry.tokens_given == 1
        clock.seconds += 295
        assert content(web, source, "model.safetensors") == WEIGHTS
        file = listed(source)["config.json"]
        clock.seconds += 295
        assert web.part(source.request("", file), 0, 2) == b"{}"
        assert registry.tokens_given == 3


def test_a_token_server_that_names_no_end_means_a_minute(web: Directed, tmp_path: Path) -> None:
    registry, clock = Registry(ACCOUNT), Clock()
    registry.expires_in = None
    registry.push(NAME, "v1", LAYERS)
    with Running(registry) as running:
        environment = pull_secret(tmp_path, running.authority)
        source = RegistrySource(client(running, web, environment=environment, clock=clock), "v1")
        file = listed(source)["config.json"]
        clock.seconds = 49
        source.request("", file)
        assert registry.tokens_given == 1
        clock.seconds = 51
        source.request("", file)
        assert registry.tokens_given == 2


@pytest.mark.parametrize("file", ["config.json", ".dockerconfigjson"])
def test_a_password_may_be_all_that_a_registry_wants(web: Directed, tmp_path: Path, file: str) -> None:
    registry = Registry(ACCOUNT, kind="basic")
    registry.push(NAME, "v1", LAYERS)
    with Running(registry) as running:
        environment = pull_secret(tmp_path, running.authority)
        (tmp_path / "config.json").rename(tmp_path / file)
        source = RegistrySource(client(running, web, environment=environment), "v1")
        assert content(web, source, "config.json") == b"{}"


@pytest.mark.parametrize("kind", ["token", "basic"])
@pytest.mark.parametrize("account", [None, ("user", "wr0ng")])
def test_without_the_right_secret_the_registry_refuses_and_no_secret_is_repeated(
    web: Directed, tmp_path: Path, kind: str, account: tuple[str, str] | None
) -> None:
    registry = Registry(ACCOUNT, kind)
    registry.push(NAME, "v1", LAYERS)
    with Running(registry) as running:
        environment = pull_secret(tmp_path, running.authority, account) if account else {}
        with Refusal(Reason.UNAUTHORIZED) as refusal:
            RegistrySource(client(running, web, environment=environment), "v1").resolve()
    assert "config.json with `auths`" in refusal.message
    assert "wr0ng" not in refusal.message


def test_a_pull_secret_that_is_none_is_not_repeated(web: Directed, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("s3cret")
    with Running(Registry()) as running, Refusal(Reason.UNAUTHORIZED) as refusal:
        client(running, web, environment={"DOCKER_CONFIG": str(tmp_path)})
    assert "s3cret" not in refusal.message


def test_a_store_behind_the_registry_does_not_see_its_token(web: Directed, tmp_path: Path) -> None:
    registry, store = Registry(ACCOUNT), Cdn({str(number): layer.content for number, layer in enumerate(LAYERS)})
    registry.push(NAME, "v1", LAYERS)
    with Running(store) as stored, Running(registry) as running:
        registry.store_url = stored.url
        source = RegistrySource(client(running, web, environment=pull_secret(tmp_path, running.authority)), "v1")
        assert content(web, source, "model.safetensors") == WEIGHTS
    assert store.tokens_seen == 0


def test_an_unknown_tag_is_named(web: Directed) -> None:
    with Running(Registry()) as running, Refusal(Reason.NOT_FOUND) as refusal:
        RegistrySource(client(running, web), "v9").resolve()
    assert "has no v9: look at its tags" in refusal.message


def test_a_manifest_that_is_not_what_its_digest_says_is_refused(web: Directed) -> None:
    registry = Registry()
    digest = registry.push(NAME, "v1", LAYERS)
    with Running(registry) as running:
        running.faults.add(Fault(wrong_byte_at=5))
        with Refusal(Reason.DIGEST_MISMATCH):
            RegistrySource(client(running, web), digest).resolve()


LINUX = {"os": "linux", "architecture": "amd64"}
ARM = {"os": "linux", "architecture": "arm64"}
ATTESTATION = {"os": "unknown", "architecture": "unknown"}


@pytest.mark.parametrize(
    ("platforms", "chosen"),
    [([ARM, LINUX], 1), ([LINUX, ATTESTATION], 0), ([ARM, ATTESTATION], 0), ([None], 0), ([None, LINUX], 1)],
)
def test_of_an_index_this_platform_is_taken_or_the_only_one(
    web: Directed, platforms: list[dict[str, str] | None], chosen: int
) -> None:
    registry = Registry()
    digests = [
        registry.push(NAME, str(number), [Pushed(str(number).encode(), "x", {TITLE: "a"})])
        for number, _ in enumerate(platforms)
    ]
    registry.push_index(NAME, "v1", list(zip(digests, platforms, strict=True)))
    with Running(registry) as running:
        revision = RegistrySource(client(running, web), "v1", machine="x86_64").resolve()
    assert revision == digests[chosen].replace(":", "-")


def test_an_index_without_this_platform_says_what_it_has(web: Directed) -> None:
    registry = Registry()
    digest = registry.push(NAME, "arm", LAYERS)
    registry.push_index(NAME, "v1", [(digest, ARM), (digest, {"os": "windows", "architecture": "amd64"})])
    with Running(registry) as running, Refusal(Reason.NOT_FOUND) as refusal:
        RegistrySource(client(running, web), "v1", machine="x86_64").resolve()
    assert "has linux/arm64, windows/amd64 and nothing for linux/amd64" in refusal.message


DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("media_type", "annotations", "how"),
    [
        ("application/vnd.cncf.model.weight.v1.raw", {"org.cncf.model.filepath": "a/b.safetensors"}, "a/b.safetensors"),
        ("application/vnd.cncf.model.weight.v1.tar", {"org.cncf.model.filepath": "a"}, None),
        ("application/vnd.cncf.model.doc.v1.tar+gzip", {}, None),
        ("application/vnd.oci.image.layer.v1.tar", {TITLE: "model.gguf"}, "model.gguf"),
        ("application/vnd.docker.ai.gguf.v3", {}, "model.gguf"),
        ("application/x", {}, "layer-abababababab.unknown"),
    ],
)
def test_a_layer_of_an_artifact_is_a_file_or_an_archive(
    media_type: str, annotations: dict[str, str], how: str | None
) -> None:
    expected = AsFile(how) if how else Unpacked("")
    assert publication_of(Layer(media_type, DIGEST, 1, annotations)) == expected


def test_a_folder_that_was_pushed_as_one_is_unpacked() -> None:
    annotations = {TITLE: "model", "io.deis.oras.content.unpack": "true"}
    layer = Layer("application/vnd.oci.image.layer.v1.tar+gzip", DIGEST, 1, annotations)
    assert publication_of(layer) == Unpacked("")


@pytest.mark.parametrize(
    "media_type",
    ["application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"],
)
def test_of_an_image_only_what_lies_below_models_counts(web: Directed, media_type: str) -> None:
    registry = Registry()
    registry.push(NAME, "v1", [Pushed(b"tar", media_type)])
    with Running(registry) as running:
        source = RegistrySource(client(running, web), "v1")
        (file,) = listed(source).values()
        assert source.publication(file) == Unpacked("models/")
        assert file.path.endswith(".tar")


def test_zstd_is_read_as_an_archive_and_refused_as_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer("application/vnd.oci.image.layer.v1.tar+zstd", DIGEST, 1, {})
    assert publication_of(layer) == Unpacked("models/")
    with Refusal(Reason.UNSAFE_FORMAT) as refusal:
        publication_of(Layer("application/vnd.cncf.model.weight.v1.raw+zstd", DIGEST, 1, {}))
    assert "push it plain" in refusal.message
    monkeypatch.setattr("stoker_runtime.fetch.sources.zstd.is_readable", lambda: False)
    with Refusal(Reason.UNSAFE_FORMAT) as refusal:
        publication_of(layer)
    assert "not read in this image" in refusal.message


OLLAMA = "application/vnd.ollama.image."


def ollama_layers(*kinds: str) -> list[Pushed]:
    return [Pushed(f"{kind}{number}".encode(), OLLAMA + kind) for number, kind in enumerate(kinds)]


def test_a_model_of_ollama_gets_file_names(web: Directed) -> None:
    registry = Registry()
    registry.push("library/qwen2.5", "7b", ollama_layers("model", "template", "license", "license", "params", "system"))
    with Running(registry) as running:
        source = OllamaSource(client(running, web, "library/qwen2.5"), "qwen2.5", "7b")
        assert list(listed(source)) == ["qwen2.5.gguf", "template", "LICENSE", "LICENSE-2", "params.json", "system"]
        assert content(web, source, "qwen2.5.gguf") == b"model0"


def test_a_tag_of_ollama_that_moved_is_not_fetched_as_what_it_was(web: Directed) -> None:
    registry = Registry()
    registry.push("library/q", "7b", ollama_layers("model"))
    with Running(registry) as running:
        revision = OllamaSource(client(running, web, "library/q"), "q", "7b").resolve()
        registry.push("library/q", "7b", ollama_layers("template", "model"))
        with Refusal(Reason.NOT_FOUND):
            OllamaSource(client(running, web, "library/q"), "q", "7b").files(revision)


def test_a_model_that_runs_only_in_the_cloud_has_no_weights(web: Directed) -> None:
    registry = Registry()
    registry.push("library/q", "cloud", ollama_layers("license"))
    with Running(registry) as running, Refusal(Reason.NO_WEIGHTS):
        listed(OllamaSource(client(running, web, "library/q"), "q", "cloud"))
