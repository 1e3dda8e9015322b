"""The servers that the golden files show. `python -m tests.unit.engines.golden` writes them anew, to be read before
they are kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stoker.core.engine import EVERYWHERE, MountedModel, Server, Worker, pods_per_replica
from tests.unit.engines.specs import mounted, server, spec

FOLDER = Path(__file__).parent / "golden"

# Where the flags of each engine were looked up.
CHECKED = {
    "vllm": "vLLM 0.31.0: engine/arg_utils.py, entrypoints/launchers/cli_args.py, entrypoints/cli/serve.py, envs.py",
    "sglang": "SGLang 0.5.23: srt/arg_groups/fields/*.py, srt/entrypoints/http_server.py",
    "llamacpp": "llama.cpp 0c1e57098 (of llama-cpp-python 0.3.36): common/arg.cpp, tools/server, cuda.Dockerfile",
    "ollama": "Ollama 0.17.4: envconfig/config.go, cmd/cmd.go, manifest/paths.go, server/routes.go, server/sched.go",
    "tgi": "TGI 3: docs/source/reference/launcher.md, docs/source/reference/metrics.md, router/src/server.rs",
    "triton": "Triton 26.07: python/openai/openai_frontend/main.py; vllm_backend: src/model.py, src/utils/metrics.py",
    "tensorrt-llm": "TensorRT-LLM 1.2: tensorrt_llm/commands/serve.py, tensorrt_llm/metrics/collector.py",
    "transformers": "transformers 5.23.0: cli/serve.py, cli/serving/server.py, cli/serving/model_manager.py",
    "exllamav2": "TabbyAPI, main branch of 2026: common/args.py, common/config_models.py, docker/Dockerfile",
    "bentoml": "BentoML 1.4.40: bentoml_cli/serve.py, bentoml/_internal/server/base_app.py",
    "custom": "nothing: its owner says all",
    "simulated": "stoker_runtime/simulated/settings.py",
}
_LOADED: dict[str, Any] = {"contextLength": 8192, "maxConcurrency": 64, "args": ["--some-flag", "value"]}
_TRUSTED = {"model": {"trustRemoteCode": True, "servedName": "chat"}}
_TYPED = {"dtype": "bfloat16", "quantization": "fp8", "gpuMemoryPercent": 80}
_FOUR = {"tensorParallel": 4, "accelerator": {"count": 4}}
_EIGHT_IN_TWO_PODS = {"tensorParallel": 4, "pipelineParallel": 2, "accelerator": {"count": 4}}
_SPREAD = {"accelerator": {"count": 2}}
_CPU = {"accelerator": {"count": 0}}
_ASLEEP = {"scaling": {"asleepReplicas": 1}}
_GGUF = {"files": ("llama-Q4_K_M.gguf", "mmproj-llama.gguf", "LICENSE")}
_PARTS = {"files": ("q8/llama-00001-of-00002.gguf", "q8/llama-00002-of-00002.gguf")}
_ALONE = {"listen": EVERYWHERE}

# Name of the file → spec.engine and other parts of the spec, and what is mounted.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vllm": ({}, {}),
    "vllm-every-setting": (_LOADED | _TYPED | _TRUSTED | {"drain": {"graceSeconds": 600}}, {"served_name": "chat"}),
    "vllm-four-gpus": (_FOUR, {}),
    "vllm-two-pods": (_EIGHT_IN_TWO_PODS, {}),
    "vllm-cpu-without-agent": (_CPU, _ALONE),
    "vllm-asleep": (_ASLEEP, {}),
    "vllm-asleep-without-agent": (_ASLEEP, _ALONE),
    "vllm-lora": ({"args": ["--enable-lora", "--lora-modules", "sql=/mnt/adapters/sql"]}, {}),
    "sglang": ({}, {}),
    "sglang-every-setting": (_LOADED | _TYPED | _TRUSTED, {"served_name": "chat"}),
    "sglang-two-pods": (_EIGHT_IN_TWO_PODS, {}),
    "sglang-cpu": (_CPU, {}),
    "llamacpp-unseen-folder": ({}, {}),
    "llamacpp-file": ({}, _GGUF),
    "llamacpp-parts": (_LOADED | _SPREAD, _PARTS),
    "llamacpp-cpu-without-agent": (_CPU, _GGUF | _ALONE),
    "ollama": ({}, {}),
    "ollama-every-setting": ({"contextLength": 8192, "maxConcurrency": 4}, {"served_name": "chat"}),
    "tgi": ({}, {}),
    "tgi-every-setting": (_LOADED | _TRUSTED | _FOUR | {"dtype": "bfloat16", "gpuMemoryPercent": 80}, {}),
    "tgi-quantized": ({"quantization": "bitsandbytes-nf4"}, {}),
    "triton": ({}, {}),
    "triton-every-setting": (_LOADED | _TYPED | _TRUSTED | _FOUR, {"served_name": "chat"}),
    "tensorrt-llm": ({}, {}),
    "tensorrt-llm-every-setting": (
        _LOADED | _TRUSTED | _FOUR | {"dtype": "bfloat16", "gpuMemoryPercent": 80},
        {"served_name": "team/chat"},
    ),
    "transformers": ({}, {}),
    "transformers-every-setting": (
        _TRUSTED | {"dtype": "float16", "quantization": "bnb-4bit", "gpuMemoryPercent": 80},
        {"served_name": "team/chat"},
    ),
    "transformers-cpu": (_CPU, {}),
    "exllamav2": ({}, {}),
    "exllamav2-every-setting": ({"contextLength": 8000, "maxConcurrency": 3} | _FOUR, {}),
    "bentoml": ({"args": ["--timeout", "600"]}, {}),
    "custom": ({"custom": {"command": ["/serve"], "port": 9000, "healthPath": "/up"}, "args": ["--fast"]}, {}),
    "simulated": ({"contextLength": 8192, "maxConcurrency": 64}, {}),
    "simulated-asleep": (_ASLEEP, {}),
}


def engine_of(case: str) -> str:
    return next(name for name in sorted(CHECKED, key=len, reverse=True) if case.startswith(name))


def mounted_in(case: str) -> MountedModel:
    return mounted(**CASES[case][1])


def rendered(case: str) -> str:
    engine = engine_of(case)
    changes, _ = CASES[case]
    made = server(engine, mounted_in(case), **changes)
    lines = [f"# Checked against {CHECKED[engine]}", *_process(made), *_answers(made)]
    if made.worker and pods_per_replica(spec(engine, **changes)) > 1:
        lines += ["", "worker", *_process(made.worker)]
    return "\n".join(lines) + "\n"


def _process(process: Server | Worker) -> Iterator[str]:
    for title, words in (("command", process.command), ("args", process.args)):
        yield title
        for word in words:
            yield from _indented(word)
    yield "env"
    yield from (f"  {name}={value}" for name, value in sorted(process.env.items()))


def _indented(word: str) -> Iterator[str]:
    """A word of several lines has its lines marked."""
    if "\n" not in word:
        yield f"  {word}"
        return
    yield from (f"  | {line}".rstrip() for line in word.strip("\n").split("\n"))


def _answers(made: Server) -> Iterator[str]:
    yield f"port {made.port}"
    yield f"health {made.health_path}"
    yield f"metrics {made.metrics_path} ({made.metrics})" if made.metrics else "no metrics"
    abilities = [name for name in ("drains", "sleeps", "lora") if getattr(made, name)]
    yield f"abilities {' '.join(abilities) or 'none'}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name in CASES:
        (FOLDER / f"{name}.txt").write_text(rendered(name))
