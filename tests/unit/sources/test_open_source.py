"""From a URI to its source."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.api.values.source import ModelSource
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.sources.azure import AzureSource
from stoker_runtime.fetch.sources.bucket import BucketSource
from stoker_runtime.fetch.sources.claim import ClaimSource
from stoker_runtime.fetch.sources.google import GoogleSource
from stoker_runtime.fetch.sources.hub import HubSource
from stoker_runtime.fetch.sources.ollama import OllamaSource
from stoker_runtime.fetch.sources.open_source import open_source
from stoker_runtime.fetch.sources.registry import RegistrySource
from stoker_runtime.fetch.sources.website import FolderSource, WebsiteSource
from tests.unit.sources.directed import Directed, Refusal

GOOD = {
    "hf://gpt2": HubSource,
    "hf://org/name@refs/pr/1": HubSource,
    "s3://models/llama-8b@2026-11": BucketSource,
    "s3://models": BucketSource,
    "gs://models/llama-8b/": GoogleSource,
    "az://contoso/models/llama-8b@v1": AzureSource,
    "oci://registry.example.com:5000/models/llama-8b:v1": RegistrySource,
    f"oci://registry.example.com/llama@sha256:{'a' * 64}": RegistrySource,
    "https://models.example.com/llama.gguf?x=1#sha256=" + "a" * 64: WebsiteSource,
    "https://models.example.com/llama/": FolderSource,
    "ollama://qwen2.5:7b": OllamaSource,
    "ollama://registry.example.com/me/qwen": OllamaSource,
    "pvc://shared-models/llama-8b@v1": ClaimSource,
}
BAD = [
    "",
    "llama",
    "http://models.example.com/a",
    "hf://",
    "hf://a/b/c",
    "hf://a/b?x",
    "s3://Models/a",
    "s3://models/../other",
    "az://contoso",
    "oci://registry.example.com",
    "oci://registry.example.com/a@sha256:abc",
    "https://user:pass@host/a",
    "https://host/a#md5=1",
    "pvc://Claim",
    "file:///etc/passwd",
    "hf://a/b\n",
    f"s3://models/{'a' * 600}",
]


@pytest.mark.parametrize("text", GOOD)
def test_every_scheme_opens_its_source_and_asks_nothing_yet(text: str, tmp_path: Path) -> None:
    web = Directed()
    assert type(open_source(text, web, {}, tmp_path)) is GOOD[text]
    assert web.asked == []


@pytest.mark.parametrize("text", BAD)
def test_what_does_not_parse_is_refused_in_a_sentence(text: str) -> None:
    with Refusal(Reason.UNSAFE_SOURCE) as refusal:
        open_source(text, Directed(), {}, None)
    assert "mend model.source" in refusal.message


def test_a_claim_that_is_not_mounted_is_told() -> None:
    with Refusal(Reason.UNREADABLE):
        open_source("pvc://shared-models", Directed(), {}, None)


def test_a_name_without_a_namespace_is_in_ollamas_own_library(tmp_path: Path) -> None:
    source = open_source("ollama://qwen2.5", Directed(), {}, tmp_path)
    assert isinstance(source, OllamaSource)
    assert source._client.place == "registry.ollama.ai/library/qwen2.5"


@given(st.sampled_from(sorted(GOOD)), st.integers(0, 90), st.sampled_from("/@:#?. a-%_\\A0") | st.just(""))
def test_the_operator_and_the_job_agree_on_what_a_source_is(text: str, at: int, letter: str) -> None:
    changed = text[:at] + letter + text[at + (not letter) :]
    assert _operator_takes(changed) == _job_takes(changed), changed


def _operator_takes(text: str) -> bool:
    try:
        ModelSource.parse(text)
    except ValueError:
        return False
    return True


def _job_takes(text: str) -> bool:
    try:
        open_source(text, Directed(), {}, Path("/"))
    except WeightsError:
        return False
    return True
