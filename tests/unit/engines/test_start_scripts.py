"""Engines that cannot take a folder as it is get it prepared by a script, which runs here as it does in a pod."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from stoker.core.engine import Server
from stoker_runtime.fetch.manifest import Manifest, ManifestFile, write_manifest
from tests.unit.engines.fakes import program, started
from tests.unit.engines.specs import mounted, server

_SAY_ARGUMENTS = 'printf "%s\\n" "$@"'


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "programs"
    program(folder, "llama-server", _SAY_ARGUMENTS)
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights of a model"
    folder.mkdir()
    return folder


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def llamacpp(weights: Path, programs: Path) -> tuple[list[str], str]:
    run = started(server("llamacpp", mounted(path=str(weights))), programs)
    return run.stdout.splitlines(), run.stderr


def test_llamacpp_takes_the_one_model_of_a_folder_and_its_projector(weights: Path, programs: Path) -> None:
    fill(weights, "README.md", "llama Q4.gguf", "mmproj-F16.gguf")
    words, _ = llamacpp(weights, programs)
    assert words[:4] == ["--model", f"{weights}/llama Q4.gguf", "--mmproj", f"{weights}/mmproj-F16.gguf"]
    assert words[4:6] == ["--host", "127.0.0.1"]


def test_llamacpp_takes_the_first_of_many_parts_in_a_folder_below(weights: Path, programs: Path) -> None:
    fill(weights, *(f"Q8/llama-{number:05}-of-00012.gguf" for number in range(1, 13)))
    words, _ = llamacpp(weights, programs)
    assert words[:2] == ["--model", f"{weights}/Q8/llama-00001-of-00012.gguf"]
    assert "--mmproj" not in words


@pytest.mark.parametrize("names", [(), ("a.gguf", "b.gguf"), ("model.safetensors",)])
def test_llamacpp_does_not_choose_among_none_or_several(names: tuple[str, ...], weights: Path, programs: Path) -> None:
    fill(weights, *names)
    words, error = llamacpp(weights, programs)
    assert words == []
    assert "spec.model.files.include" in error


_OLLAMA = """
echo "$1 $2" >> "$LOG"
case $1 in
  serve) trap 'exit 7' TERM; while [ ! -e "$LOG.end" ]; do sleep 0.05; done; exit 3 ;;
  create) cp "$4" "$LOG.modelfile"; [ ! -e "$LOG.bad" ] ;;
  rm) touch "$LOG.end" ;;
esac
"""


@pytest.fixture
def ollama(programs: Path, weights: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    """The folder of the weights, what Ollama was called with, and its store."""
    program(programs, "ollama", _OLLAMA)
    return weights, tmp_path / "log", tmp_path / "store"


def run_ollama(places: tuple[Path, Path, Path], programs: Path) -> tuple[int, str]:
    weights, log, store = places
    env = {"LOG": str(log), "OLLAMA_MODELS": str(store)}
    run = started(server("ollama", mounted(path=str(weights))), programs, env)
    return run.returncode, run.stderr


def test_ollama_gets_its_own_name_last_so_that_nobody_finds_it_before_it_is_loaded(
    ollama: tuple[Path, Path, Path], programs: Path
) -> None:
    weights, log, _ = ollama
    fill(weights, "llama.gguf")
    code, _ = run_ollama(ollama, programs)
    calls = [line for line in log.read_text().splitlines() if not line.startswith(("list", "serve"))]
    assert calls == ["create stoker-loading", "run stoker-loading", "cp stoker-loading", "rm stoker-loading"]
    assert code == 3  # as the server ended


def test_ollama_finds_the_weights_in_its_store_without_a_copy(ollama: tuple[Path, Path, Path], programs: Path) -> None:
    weights, log, store = ollama
    fill(weights, "llama.gguf", "mmproj-llama.gguf")
    (weights / "template").write_text("{{ .Prompt }}")
    run_ollama(ollama, programs)
    for name in ("llama.gguf", "mmproj-llama.gguf"):
        digest = hashlib.sha256(name.encode()).hexdigest()
        assert (store / "blobs" / f"sha256-{digest}").readlink() == weights / name
    assert (log.parent / "log.modelfile").read_text() == (
        f'FROM {weights}/llama.gguf\nFROM {weights}/mmproj-llama.gguf\nTEMPLATE """{{{{ .Prompt }}}}"""\n'
    )


def test_ollama_does_not_read_a_published_model_to_know_its_digest(
    ollama: tuple[Path, Path, Path], programs: Path
) -> None:
    weights, _, store = ollama
    fill(weights, "llama.gguf", "other.txt")
    files = (ManifestFile("other.txt", 9, 64 * "1"), ManifestFile("llama.gguf", 10, 64 * "a"))
    write_manifest(weights, Manifest("ollama://llama", "r", files, "2026-11-21T08:00:00Z"))
    run_ollama(ollama, programs)
    assert [path.name for path in (store / "blobs").iterdir()] == [f"sha256-{64 * 'a'}"]


def test_ollama_refuses_a_model_in_parts(ollama: tuple[Path, Path, Path], programs: Path) -> None:
    fill(ollama[0], "a-00001-of-00002.gguf", "a-00002-of-00002.gguf")
    code, error = run_ollama(ollama, programs)
    assert code == 2
    assert "engine llamacpp" in error


def test_ollama_ends_when_it_cannot_take_the_model(ollama: tuple[Path, Path, Path], programs: Path) -> None:
    weights, log, _ = ollama
    fill(weights, "llama.gguf")
    (log.parent / "log.bad").touch()
    code, _ = run_ollama(ollama, programs)
    assert code == 1


def test_ollama_that_dies_at_its_start_ends_the_container_with_its_code(
    ollama: tuple[Path, Path, Path], programs: Path
) -> None:
    weights, _, _ = ollama
    fill(weights, "llama.gguf")
    program(programs, "ollama", "[ $1 != serve ] || exit 5; exit 1")
    code, _ = run_ollama(ollama, programs)
    assert code == 5


def moved(made: Server, *places: tuple[str, Path]) -> Server:
    """With the folders of the container in a place of the test's own."""
    shell, options, script, *rest = made.command
    for place, own in places:
        script = script.replace(place, str(own))
    return replace(made, command=(shell, options, script, *rest))


def test_triton_gets_a_repository_of_one_model(tmp_path: Path, programs: Path) -> None:
    program(programs, "python3", _SAY_ARGUMENTS)
    made = server("triton", contextLength=8192)
    places = (("/tmp/triton", tmp_path), ("/opt/tritonserver/python/openai", tmp_path))  # noqa: S108 - moved away
    run = started(moved(made, *places), programs)
    assert run.stdout.splitlines()[0] == "openai_frontend/main.py"
    described = json.loads((tmp_path / "llama-8b" / "1" / "model.json").read_text())
    assert described["model"] == "/mnt/weights/abc"
    assert described["max_model_len"] == 8192
    assert 'backend: "vllm"' in (tmp_path / "llama-8b" / "config.pbtxt").read_text()


def test_transformers_serves_a_folder_of_the_served_name_and_shows_that_name(
    tmp_path: Path, weights: Path, programs: Path
) -> None:
    program(programs, "python3", _SAY_ARGUMENTS)
    made = server("transformers", mounted(path=str(weights), served_name="team/chat"))
    run = started(moved(made, ("/tmp/serving", tmp_path), ("/tmp/hub", tmp_path / "hub")), programs)  # noqa: S108 - moved
    assert run.stdout.splitlines()[:4] == ["-m", "transformers.cli.transformers", "serve", "team/chat"]
    assert (tmp_path / "team" / "chat").readlink() == weights
    listed = tmp_path / "hub" / "models--team--chat"
    assert (listed / "snapshots" / (listed / "refs" / "main").read_text() / "config.json").readlink().parent == weights


def test_tensorrt_llm_calls_the_model_by_the_last_part_of_its_name(
    tmp_path: Path, weights: Path, programs: Path
) -> None:
    program(programs, "trtllm-serve", _SAY_ARGUMENTS)
    made = server("tensorrt-llm", mounted(path=str(weights), served_name="team/chat"), dtype="bfloat16")
    run = started(moved(made, ("/tmp/engine", tmp_path)), programs)  # noqa: S108 - moved away
    assert run.stdout.splitlines()[:2] == ["serve", str(tmp_path / "chat")]
    assert (tmp_path / "chat").readlink() == weights
    assert "dtype: bfloat16" in (tmp_path / "options.yaml").read_text()
