"""Model sources: eight schemes, each with its own parts and its own way to pin a revision."""

import pytest

from stoker.api.values.source import (
    AzureSource,
    BucketSource,
    ClaimSource,
    HubSource,
    ModelSource,
    OllamaSource,
    RegistrySource,
    WebSource,
)

_SHA256 = 64 * "a"
_DIGEST = f"sha256:{_SHA256}"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("hf://gpt2", HubSource("hf://gpt2", "gpt2", None)),
        (
            "hf://meta-llama/Llama-3.1-8B@refs/pr/7",
            HubSource("hf://meta-llama/Llama-3.1-8B@refs/pr/7", "meta-llama/Llama-3.1-8B", "refs/pr/7"),
        ),
        ("s3://models/a/b@v2", BucketSource("s3://models/a/b@v2", "s3", "models", "a/b", "v2")),
        ("gs://my_models", BucketSource("gs://my_models", "gs", "my_models", None, None)),
        ("az://contoso/models/a", AzureSource("az://contoso/models/a", "contoso", "models", "a", None)),
        ("oci://r.io:5000/a/b:v1", RegistrySource("oci://r.io:5000/a/b:v1", "r.io:5000", "a/b", "v1", None)),
        (
            f"oci://r.io/a:v1@{_DIGEST}",
            RegistrySource(f"oci://r.io/a:v1@{_DIGEST}", "r.io", "a", "v1", _DIGEST),
        ),
        (
            f"https://h.io/a/b.gguf?x=1#sha256={_SHA256}",
            WebSource(f"https://h.io/a/b.gguf?x=1#sha256={_SHA256}", "h.io", "a/b.gguf", "x=1", _SHA256),
        ),
        ("ollama://qwen2.5:7b", OllamaSource("ollama://qwen2.5:7b", None, "qwen2.5", "7b")),
        ("ollama://me/qwen", OllamaSource("ollama://me/qwen", None, "me/qwen", None)),
        ("ollama://r.io/me/qwen:1", OllamaSource("ollama://r.io/me/qwen:1", "r.io", "me/qwen", "1")),
        ("pvc://shared.models/a/b@3", ClaimSource("pvc://shared.models/a/b@3", "shared.models", "a/b", "3")),
    ],
)
def test_a_source_is_read_into_its_parts(text: str, source: ModelSource) -> None:
    assert ModelSource.parse(text) == source
    assert str(ModelSource.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("hf://a/b", None),
        ("hf://a/b@main", "main"),
        ("s3://models/a@v2", "v2"),
        ("az://contoso/models/a@v3", "v3"),
        ("oci://r.io/a:v1", "v1"),
        (f"oci://r.io/a:v1@{_DIGEST}", _DIGEST),
        (f"https://h.io/a#sha256={_SHA256}", _SHA256),
        ("ollama://qwen2.5:7b", "7b"),
        ("pvc://models@1", "1"),
    ],
)
def test_the_pin_is_what_the_user_fixed_the_content_by(text: str, pin: str | None) -> None:
    assert ModelSource.parse(text).pin == pin


def test_a_digest_pins_harder_than_the_tag_beside_it() -> None:
    source = ModelSource.parse(f"oci://r.io/a:latest@{_DIGEST}")
    assert source.pin == _DIGEST


@pytest.mark.parametrize(
    "text", ["hf://a/b\n", "hf://a/b\nc", "s3://models/a b", "https://h.io/\ta", "HF://a/b", " hf://a/b"]
)
def test_stray_white_space_and_capitals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|start it"):
        ModelSource.parse(text)
