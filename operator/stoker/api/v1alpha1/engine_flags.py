"""The command-line flags of each engine that Stoker sets itself, and the field that stands for each.

A flag given twice is won by whichever comes last, which is nobody's intention; so `engine.args` may not repeat these.
"""

from collections.abc import Mapping
from types import MappingProxyType

from stoker.api.declaration import Rule, Shown

_NO_FIELD = ""  # the agent needs it, and nothing else may have it
_SOURCE, _SERVED_NAME, _REMOTE_CODE = "model.source", "model.servedName", "model.trustRemoteCode"
_TENSOR, _PIPELINE = "engine.tensorParallel", "engine.pipelineParallel"
_CONTEXT, _CONCURRENCY, _MEMORY = "engine.contextLength", "engine.maxConcurrency", "engine.gpuMemoryPercent"
_DTYPE, _QUANTIZATION, _GRACE = "engine.dtype", "engine.quantization", "drain.graceSeconds"

_VLLM = {
    "--model": _SOURCE,
    "--revision": _SOURCE,
    "--served-model-name": _SERVED_NAME,
    "--tensor-parallel-size": _TENSOR,
    "-tp": _TENSOR,
    "--pipeline-parallel-size": _PIPELINE,
    "-pp": _PIPELINE,
    "--max-model-len": _CONTEXT,
    "--max-num-seqs": _CONCURRENCY,
    "--gpu-memory-utilization": _MEMORY,
    "--device-memory-utilization": _MEMORY,
    "--dtype": _DTYPE,
    "--quantization": _QUANTIZATION,
    "-q": _QUANTIZATION,
    "--trust-remote-code": _REMOTE_CODE,
    "--shutdown-timeout": _GRACE,
    "--enable-sleep-mode": "scaling.asleepReplicas",
    "--nnodes": _NO_FIELD,
    "-n": _NO_FIELD,
    "--node-rank": _NO_FIELD,
    "-r": _NO_FIELD,
    "--master-addr": _NO_FIELD,
    "--master-port": _NO_FIELD,
    "--headless": _NO_FIELD,
    "--host": _NO_FIELD,
    "--port": _NO_FIELD,
    "--uds": _NO_FIELD,
    "--config": _NO_FIELD,
}

FLAGS_NO_FIELD: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "vllm": _VLLM,
        "sglang": {
            "--model-path": _SOURCE,
            "--model": _SOURCE,
            "--revision": _SOURCE,
            "--served-model-name": _SERVED_NAME,
            "--tensor-parallel-size": _TENSOR,
            "--tp-size": _TENSOR,
            "--tp": _TENSOR,
            "--pipeline-parallel-size": _PIPELINE,
            "--pp-size": _PIPELINE,
            "--context-length": _CONTEXT,
            "--max-running-requests": _CONCURRENCY,
            "--mem-fraction-static": _MEMORY,
            "--dtype": _DTYPE,
            "--quantization": _QUANTIZATION,
            "--trust-remote-code": _REMOTE_CODE,
            "--enable-metrics": _NO_FIELD,
            "--nnodes": _NO_FIELD,
            "--node-rank": _NO_FIELD,
            "--dist-init-addr": _NO_FIELD,
            "--nccl-init-addr": _NO_FIELD,
            "--config": _NO_FIELD,
            "--host": _NO_FIELD,
            "--port": _NO_FIELD,
        },
        "llamacpp": {
            "--model": _SOURCE,
            "-m": _SOURCE,
            "--model-url": _SOURCE,
            "-mu": _SOURCE,
            "--hf-repo": _SOURCE,
            "-hf": _SOURCE,
            "--alias": _SERVED_NAME,
            "-a": _SERVED_NAME,
            "--ctx-size": _CONTEXT,
            "-c": _CONTEXT,
            "--parallel": _CONCURRENCY,
            "-np": _CONCURRENCY,
            "--metrics": _NO_FIELD,
            "--host": _NO_FIELD,
            "--port": _NO_FIELD,
        },
        "tgi": {
            "--model-id": _SOURCE,
            "--revision": _SOURCE,
            "--served-model-name": _SERVED_NAME,
            "--num-shard": _TENSOR,
            "--max-total-tokens": _CONTEXT,
            "--max-input-tokens": _CONTEXT,
            "--max-input-length": _CONTEXT,
            "--max-concurrent-requests": _CONCURRENCY,
            "--cuda-memory-fraction": _MEMORY,
            "--dtype": _DTYPE,
            "--quantize": _QUANTIZATION,
            "--trust-remote-code": _REMOTE_CODE,
            "--hostname": _NO_FIELD,
            "--port": _NO_FIELD,
            "-p": _NO_FIELD,
        },
        "triton": {
            "--model-repository": _SOURCE,
            "--model-store": _SOURCE,
            "--tokenizer": _SOURCE,
            "--backend": _NO_FIELD,
            "--host": _NO_FIELD,
            "--openai-port": _NO_FIELD,
            "--http-port": _NO_FIELD,
            "--http-address": _NO_FIELD,
            "--grpc-port": _NO_FIELD,
            "--metrics-port": _NO_FIELD,
        },
        "tensorrt-llm": {
            "--tp-size": _TENSOR,
            "--tensor-parallel-size": _TENSOR,
            "--pp-size": _PIPELINE,
            "--pipeline-parallel-size": _PIPELINE,
            "--max-seq-len": _CONTEXT,
            "--max-batch-size": _CONCURRENCY,
            "--kv-cache-free-gpu-memory-fraction": _MEMORY,
            "--free-gpu-memory-fraction": _MEMORY,
            "--config": _NO_FIELD,
            "--extra-llm-api-options": _NO_FIELD,
            "--trust-remote-code": _REMOTE_CODE,
            "--host": _NO_FIELD,
            "--port": _NO_FIELD,
        },
        "transformers": {
            "--host": _NO_FIELD,
            "--port": _NO_FIELD,
            "--dtype": _DTYPE,
            "--quantization": _QUANTIZATION,
            "--trust-remote-code": _REMOTE_CODE,
            "--cb-max-memory-percent": _MEMORY,
        },
        "exllamav2": {
            "--model-dir": _SOURCE,
            "--model-name": _SOURCE,
            "--max-seq-len": _CONTEXT,
            "--max-batch-size": _CONCURRENCY,
            "--cache-size": _CONCURRENCY,
            "--tensor-parallel": _TENSOR,
            "--disable-auth": _NO_FIELD,
            "--config": _NO_FIELD,
            "--host": _NO_FIELD,
            "--port": _NO_FIELD,
        },
        "bentoml": {"--host": _NO_FIELD, "--port": _NO_FIELD, "-p": _NO_FIELD},
        "simulated": {"--port": _NO_FIELD, "--max-num-seqs": _CONCURRENCY},
    }
)


def _flag_of(argument: str) -> str:
    """`--max_model_len=8` is `--max-model-len` to most of the engines, so it is for all."""
    return argument.split("=", 1)[0].replace("_", "-")


_FLAG_OF = "arg.split('=')[0].replace('_', '-')"


def _remedy(field: str) -> str:
    return f"use {field} instead" if field else "remove it"


def _rule_for(engine: str, flags: Mapping[str, str]) -> Rule:
    names = "[" + ", ".join(f"'{flag}'" for flag in flags) + "]"
    remedies = "{" + ", ".join(f"'{flag}': '{_remedy(field)}'" for flag, field in flags.items()) + "}"
    repeated = f"self.args.map(arg, {_FLAG_OF}).filter(flag, flag in {names})[0]"

    def first_repeated(args: tuple[str, ...]) -> str | None:
        return next((_flag_of(arg) for arg in args if _flag_of(arg) in flags), None)

    return Rule(
        cel=f"self.name != '{engine}' || !has(self.args) || !self.args.exists(arg, {_FLAG_OF} in {names})",
        holds=lambda spec: spec.name != engine or first_repeated(spec.args) is None,
        says="args has {flag}, which Stoker sets itself: {remedy}",
        at=".args",
        shows={
            "flag": Shown(repeated, lambda spec: first_repeated(spec.args)),
            "remedy": Shown(f"{remedies}[{repeated}]", lambda spec: _remedy(flags[first_repeated(spec.args) or ""])),
        },
    )


REPEATED_FLAG_RULES = tuple(_rule_for(engine, flags) for engine, flags in FLAGS_NO_FIELD.items())
