"""`stoker fit` as a user sees it."""

import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from stoker.api.v1alpha1.engine import EngineName
from stoker.cli import fit
from stoker.cli.fit.model import PATIENCE, facts_of
from stoker.cli.input_error import InputError
from stoker.core.fit.cache import token_bytes
from stoker_runtime.fetch.patience import Times
from tests.servers.faults import Faults
from tests.servers.hub import Hub
from tests.servers.serving import Running
from tests.unit.fit.command import answered, options_of
from tests.unit.fit.models import DEEPSEEK_V3, FALCON_7B, LLAMA2_7B, LLAMA_8B, LLAMA_70B

LLAMA = "hf://meta-llama/Llama-3.1-8B-Instruct"
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "sizing.md"


def document(command: str) -> dict[str, Any]:
    _, text = answered(f"{command} -o json")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of two layers, in bfloat16, whose weights are a hole in a file."""
    hidden, inner, vocabulary = 64, 128, 65_536
    shapes = {"model.embed_tokens.weight": [vocabulary, hidden], "lm_head.weight": [vocabulary, hidden]}
    shapes["model.norm.weight"] = [hidden]
    for layer in range(2):
        name = f"model.layers.{layer}"
        for part in ("q", "k", "v", "o"):
            shapes[f"{name}.self_attn.{part}_proj.weight"] = [hidden, hidden]
        shapes |= {f"{name}.mlp.{part}_proj.weight": [inner, hidden] for part in ("gate", "up")}
        shapes |= {f"{name}.mlp.down_proj.weight": [hidden, inner], f"{name}.input_layernorm.weight": [hidden]}
        shapes[f"{name}.post_attention_layernorm.weight"] = [hidden]
    tensors, end = {}, 0
    for name, shape in shapes.items():
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        tensors[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    header = json.dumps(tensors).encode()
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + end)
    configuration = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 512,
        "vocab_size": vocabulary,
        "torch_dtype": "bfloat16",
    }
    (tmp_path / "config.json").write_text(json.dumps(configuration), encoding="utf-8")
    return tmp_path


def examples() -> list[tuple[str, str]]:
    """Commands of the guide and what it says that they print."""
    blocks = [block.partition("```")[0] for block in GUIDE.read_text(encoding="utf-8").split("```console\n")[1:]]
    pairs = (block.partition("\n") for block in blocks)
    return [(command.removeprefix("$ stoker "), printed.rstrip("\n")) for command, _, printed in pairs]


def test_the_guide_has_examples() -> None:
    assert len(examples()) >= 4


@pytest.mark.parametrize(("command", "printed"), examples())
def test_the_examples_of_the_guide_are_what_the_command_prints(command: str, printed: str) -> None:
    assert answered(command)[1] == printed


def test_a_fit_is_yes_and_a_misfit_is_no() -> None:
    assert answered(f"fit {LLAMA} --gpu l4 --context 8192")[0] == 0
    assert answered(f"fit {LLAMA} --gpu l4 --context 65536")[0] == 1


def test_without_a_gpu_it_is_yes_where_any_fits() -> None:
    code, text = answered(f"fit {LLAMA}")
    assert code == 0
    assert all(name in text for name in ("Tesla-T4", "NVIDIA-L4", "NVIDIA-H100-80GB-HBM3", "AMD_Instinct_MI300X_OAM"))
    assert answered(f"fit {LLAMA} --context 131072 --concurrency 4096")[0] == 1


def test_the_comparison_keeps_to_a_spread_that_was_given() -> None:
    products = document(f"fit {LLAMA} --tp 2")["products"]
    assert {product["gpus"] for product in products} == {2}


def test_the_document_has_bytes_by_part_that_add_up() -> None:
    told = document(f"fit {LLAMA} --gpu h100 --context 8192 --concurrency 4")
    parts = told["bytesPerGpu"]
    assert told["verdict"] == "fits"
    assert parts["total"] == sum(parts[n] for n in ("weights", "kvCache", "activations", "graphs", "framework"))
    assert parts["total"] + parts["left"] == told["gpu"]["budgetBytes"]
    assert told["kvBytesPerToken"] == 131_072
    assert parts["kvCache"] == 4 * 8192 * 131_072
    assert told["flags"][-2:] == ["--max-num-seqs", "4"]


def test_the_document_of_a_misfit_has_its_remedies() -> None:
    told = document(f"fit {LLAMA} --gpu l4 --context 32768")
    assert told["verdict"] == "misfit"
    assert told["bytesPerGpu"]["left"] < 0
    assert told["fewestGpus"] == {"gpus": 2, "tensorParallel": 2, "pipelineParallel": 1}
    assert all(remedy["verdict"] == "fits" for remedy in told["remedies"])
    assert told["remedies"][0]["change"] == "context"


def test_a_smaller_cache_and_another_share_are_taken_from_the_command_line() -> None:
    told = document(f"fit {LLAMA} --gpu l4 --context 32768 --kv-dtype fp8 --gpu-memory-percent 95")
    assert told["verdict"] == "fits"
    assert told["flags"][-4:] == ["--gpu-memory-utilization", "0.95", "--kv-cache-dtype", "fp8"]


def test_all_engines_may_be_named() -> None:
    for name in EngineName:
        assert document(f"fit {LLAMA} --gpu h100 --engine {name}")["engine"] == name


@pytest.mark.parametrize(
    "words",
    ["--context 15", "--context many", "--tp 0", "--gpu-memory-percent 100", "--engine none", "--kv-dtype int4"],
)
def test_a_number_or_name_that_cannot_be_is_wrong_use(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        options_of(f"fit {LLAMA} {words}")
    assert done.value.code == 2
    assert words.split(maxsplit=1)[0] in capsys.readouterr().err


def test_a_gpu_that_nobody_knows_is_named() -> None:
    with pytest.raises(InputError, match="--gpu a100: GPU a100 may be one of several"):
        answered(f"fit {LLAMA} --gpu a100")


def test_a_folder_is_read_by_its_headers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = options_of(f"fit {folder} --gpu t4 -o json")
    assert fit.run(options) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["contextLength"] == 512
    assert told["kvBytesPerToken"] == 2 * 4 * (16 + 16) * 2
    assert told["bytesPerGpu"]["weights"] == told["model"]["weightBytes"] == 2 * told["model"]["parameters"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("/nowhere/at/all", "is no folder"),
        ("ftp://models/llama", "starts with no scheme that can be fetched"),
        ("hf://", "is not complete"),
        ("pvc://models/llama", "give the folder where it is mounted"),
    ],
)
def test_a_model_that_cannot_be_read_is_named(model: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        fit.run(options_of(f"fit {model}"))
    assert str(refused.value).startswith(f"{model}: ")


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NoWeightsFound"):
        fit.run(options_of(f"fit {tmp_path}"))


def test_a_configuration_that_makes_no_sense_is_named(folder: Path) -> None:
    (folder / "config.json").write_text("[", encoding="utf-8")
    with pytest.raises(InputError, match=r"WeightsUnreadable: config\.json"):
        fit.run(options_of(f"fit {folder}"))


def test_the_bytes_a_token_in_the_guide_are_those_of_the_models() -> None:
    named = {
        "Llama 3.1 8B": LLAMA_8B,
        "Llama 3.3 70B": LLAMA_70B,
        "Llama 2 7B": LLAMA2_7B,
        "Falcon 7B": FALCON_7B,
        "DeepSeek V3": DEEPSEEK_V3,
    }
    text = GUIDE.read_text(encoding="utf-8")
    for name, facts in named.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
        assert row.split("|")[-2].strip() == f"{token_bytes(facts):,}"


def test_a_source_that_does_not_answer_is_given_up_soon_and_says_once_what_it_waits_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        times = Times(connect_seconds=0.2, stall_seconds=0.2, patience_seconds=0.3, first_wait_seconds=0.01)
        with pytest.raises(InputError, match="SourceUnreachable"):
            facts_of(f"https://127.0.0.1:{port}/model.gguf", "vllm", (), times)
    assert PATIENCE.patience_seconds <= 60
    assert capsys.readouterr().err.count("trying again for") == 1


def test_a_source_is_read_by_ranges_of_its_headers_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (folder / "model.safetensors").stat().st_size > 16 << 20
    hub, faults = Hub(), Faults()
    hub.push("tiny/llama", {path.name: path for path in folder.iterdir()})
    with Running(hub, faults) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        facts = facts_of("hf://tiny/llama", "vllm", ())
    assert facts == facts_of(str(folder), "vllm", ())
    assert faults.sent_bytes("*/model.safetensors") <= 1 << 20


def test_a_source_that_wants_a_token_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    hub.push("tiny/llama", {path.name: path for path in folder.iterdir()}, gated=True)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with Running(hub) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        with pytest.raises(InputError, match=r"hf://tiny/llama: Source(Unauthorized|Forbidden): "):
            facts_of("hf://tiny/llama", "vllm", ())
