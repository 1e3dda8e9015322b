"""A model read from a folder, and over the network by ranges."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stoker_runtime.facts import Format, Task
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.patience import Times
from stoker_runtime.fetch.sources.hub import HubSource
from stoker_runtime.fetch.web import HttpWeb
from stoker_runtime.inspect.inspection import inspect
from stoker_runtime.inspect.reading import FolderReading, RemoteReading
from tests.servers.contents import in_folder
from tests.servers.faults import Fault
from tests.servers.hub import Hub
from tests.servers.serving import Running
from tests.unit.inspect.made import (
    config,
    gguf,
    linears,
    llama_tensors,
    safetensors,
    write_model,
    write_shards,
    write_sparse,
)
from tests.unit.inspect.test_gguf_header import F32, small

LLAMA = 8_030_261_248


def folder_of(path: Path, **files: str) -> FolderReading:
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return FolderReading.of(path)


def refusal(read: FolderReading | RemoteReading) -> WeightsError:
    with pytest.raises(WeightsError) as refused:
        inspect(read)
    return refused.value


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    value = config("smollm2-135m")
    tensors = llama_tensors(value)
    return write_shards(tmp_path / "model", value, [tensors[:100], tensors[100:200], tensors[200:]])


def test_the_shards_of_an_index_are_one_model(sharded: Path) -> None:
    assert inspect(FolderReading.of(sharded)).parameters == 134_515_008


def test_a_missing_shard_is_named(sharded: Path) -> None:
    (sharded / "model-00002-of-00003.safetensors").unlink()
    refused = refusal(FolderReading.of(sharded))
    assert refused.reason is Reason.UNREADABLE
    assert "model-00002-of-00003.safetensors" in refused.message


def test_a_shard_that_was_cut_short_is_named(sharded: Path) -> None:
    with (sharded / "model-00003-of-00003.safetensors").open("r+b") as shard:
        shard.truncate(1 << 20)
    assert refusal(FolderReading.of(sharded)).message.startswith("model-00003-of-00003.safetensors")


def test_a_shard_of_another_model_is_found_out(sharded: Path) -> None:
    write_sparse(sharded / "model-00002-of-00003.safetensors", *other_shard())
    refused = refusal(FolderReading.of(sharded))
    assert "is missing" in refused.message


def test_a_tensor_that_lies_in_two_shards_is_refused(sharded: Path) -> None:
    (sharded / "model-00002-of-00003.safetensors").write_bytes(
        (sharded / "model-00001-of-00003.safetensors").read_bytes()
    )
    assert "too" in refusal(FolderReading.of(sharded)).message


def other_shard() -> tuple[bytes, int]:
    return safetensors([("other.weight", "BF16", (4, 4))])


def test_a_model_without_configuration_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path, {}, [("a", "BF16", (4,))])
    (tmp_path / "config.json").unlink()
    assert "config.json: missing" in refusal(FolderReading.of(tmp_path)).message


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\x01", "Entry not found"])
def test_a_configuration_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    write_model(tmp_path, {}, [("a", "BF16", (4,))])
    assert refusal(folder_of(tmp_path, config__json=text)).message.startswith("config.json")


def test_a_configuration_beyond_reason_is_not_read(tmp_path: Path) -> None:
    write_model(tmp_path, {}, [("a", "BF16", (4,))])
    write_sparse(tmp_path / "config.json", b"{", 1 << 30)
    assert "beyond all reason" in refusal(FolderReading.of(tmp_path)).message


@pytest.mark.parametrize(
    ("name", "text", "template"),
    [
        ("tokenizer_config__json", '{"chat_template": "{{ messages }}"}', True),
        ("tokenizer_config__json", "{}", False),
        ("chat_template__jinja", "{{ messages }}", True),
        ("README__md", "", None),
    ],
)
def test_a_chat_template_may_stand_in_several_places(
    tmp_path: Path, name: str, text: str, template: bool | None
) -> None:
    value = config("smollm2-135m")
    write_model(tmp_path, value, llama_tensors(value))
    assert inspect(folder_of(tmp_path, **{name: text})).chat_template is template


def test_a_model_that_is_published_for_embeddings_embeds(tmp_path: Path) -> None:
    value = config("smollm2-135m")
    write_model(tmp_path, value, llama_tensors(value))
    assert inspect(folder_of(tmp_path, modules__json="[]")).task is Task.EMBED


def test_pickle_is_known_by_its_configuration_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config("llama-3.1-8b")))
    write_sparse(tmp_path / "pytorch_model.bin", b"", 1000)
    facts = inspect(FolderReading.of(tmp_path))
    assert (facts.format, facts.parameters, facts.weight_bytes) == (Format.PICKLE, LLAMA, 1000)
    assert facts.embedding_bytes == 2 * 2 * 128_256 * 4096


def test_the_configuration_alone_is_enough_when_no_header_may_be_read(tmp_path: Path) -> None:
    value = config("llama-3.1-8b")
    name, shape = linears(value, 0)[0]
    write_model(tmp_path, value, [(name, "BF16", shape)])
    facts = inspect(FolderReading.of(tmp_path), config_only=True)
    assert facts.parameters == LLAMA
    assert facts.weight_bytes == (tmp_path / "model.safetensors").stat().st_size


def test_a_split_gguf_is_one_model(tmp_path: Path) -> None:
    split = {"split.count": 2, "split.tensors.count": 2}
    first = gguf(small("llama") | split, [("token_embd.weight", F32, (64, 10), 2560)])
    second = gguf({"split.count": 2}, [("output.weight", F32, (64, 10), 2560)])
    write_sparse(tmp_path / "m-00001-of-00002.gguf", *first)
    write_sparse(tmp_path / "m-00002-of-00002.gguf", *second)
    facts = inspect(FolderReading.of(tmp_path))
    assert (facts.parameters, facts.weight_bytes, facts.embedding_bytes) == (1280, 5120, 5120)


def test_a_split_gguf_without_all_of_its_tensors_is_refused(tmp_path: Path) -> None:
    split = {"split.count": 1, "split.tensors.count": 9}
    write_sparse(tmp_path / "m.gguf", *gguf(small("llama") | split, [("a", F32, (64, 10), 2560)]))
    assert "9 tensors" in refusal(FolderReading.of(tmp_path)).message


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    value = config("smollm2-135m")
    read = FolderReading.of(write_model(tmp_path, value, llama_tensors(value)))
    (tmp_path / "model.safetensors").unlink()
    assert refusal(read).message.startswith("model.safetensors")


@pytest.fixture
def hub() -> Iterator[tuple[Hub, Running]]:
    served = Hub()
    with Running(served) as running:
        yield served, running


@contextmanager
def remote(running: Running, times: Times | None = None) -> Iterator[RemoteReading]:
    web = HttpWeb(frozenset({"127.0.0.1"}), times=times, environment={})
    source = HubSource("org/model", "main", web, {"HF_ENDPOINT": running.url})
    revision = source.resolve()
    yield RemoteReading(source, web, revision, source.files(revision))
    web.close()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Four layers, since a hub digests what it serves."""
    value = config("smollm2-135m", num_hidden_layers=4, vocab_size=1000)
    tensors = llama_tensors(value)
    return write_shards(tmp_path / "tiny", value, [tensors[:20], tensors[20:]])


def test_a_remote_model_is_known_from_its_headers_alone(hub: tuple[Hub, Running], tiny: Path) -> None:
    hub[0].push("org/model", in_folder(tiny))
    with remote(hub[1]) as read:
        facts = inspect(read)
    assert facts == inspect(FolderReading.of(tiny))
    # 29 MB of weights, of which the first parts of two files were read.
    assert facts.weight_bytes > 28_000_000
    assert hub[1].faults.sent_bytes("*.safetensors") <= 2 * 256 * 1024


def test_a_dropped_connection_is_taken_up_again(hub: tuple[Hub, Running], tiny: Path) -> None:
    hub[0].push("org/model", in_folder(tiny))
    with remote(hub[1], Times(first_wait_seconds=0.01)) as read:
        hub[1].faults.add(Fault(drop_at_byte=100), path="*.safetensors", requests=2)
        assert inspect(read) == inspect(FolderReading.of(tiny))


def test_a_source_that_answers_no_more_is_unreachable(hub: tuple[Hub, Running], tiny: Path) -> None:
    hub[0].push("org/model", in_folder(tiny))
    with remote(hub[1], Times(first_wait_seconds=0.01, patience_seconds=0.1)) as read:
        hub[1].faults.add(Fault(status=503), path="*.safetensors")
        assert refusal(read).reason is Reason.UNREACHABLE


def test_a_file_that_is_gone_is_not_found(hub: tuple[Hub, Running], tiny: Path) -> None:
    hub[0].push("org/model", in_folder(tiny))
    with remote(hub[1]) as read:
        hub[1].faults.add(Fault(status=404), path="*config.json")
        assert refusal(read).reason is Reason.NOT_FOUND


def test_a_wrong_byte_in_a_header_is_refused(hub: tuple[Hub, Running], tiny: Path) -> None:
    hub[0].push("org/model", in_folder(tiny))
    with remote(hub[1]) as read:
        hub[1].faults.add(Fault(wrong_byte_at=3), path="*.safetensors")
        assert refusal(read).reason is Reason.UNREADABLE
