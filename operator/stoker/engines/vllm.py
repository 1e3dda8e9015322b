"""vLLM's own server, `vllm serve`, in Stoker's runtime image."""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server, Worker, pods_per_replica
from stoker.engines.flags import OFFLINE, above_one, flags, share
from stoker.engines.lacking import CPU, refused
from stoker_runtime.facts import Format

_GROUP_PORT = 29_501  # where the ranks of a replica of several pods meet
_COMMAND = ("vllm", "serve")
_COMPILED = "/var/cache/vllm/torch_compile_cache"  # below VLLM_CACHE_ROOT of the runtime image, which is read-only
_ENV = OFFLINE | {"VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1"}


class Vllm:
    """The engine that Stoker knows best. It reads no GGUF any more."""

    formats = frozenset({Format.SAFETENSORS, Format.PICKLE})
    image = "docker.io/vllm/vllm-openai:v0.31.0@sha256:c1c9f6fd5c109ba7f0546a59f5b2f15fb87f64c77782e90a27b648b42a8e67c3"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        asleep = spec.scaling.asleep_replicas > 0
        if asleep and not spec.accelerator.count:
            why = "vLLM sleeps by leaving GPU memory: set spec.scaling.asleepReplicas to 0, or run it on GPUs"
            return refused(CPU, spec, why)
        # Its routes for development are open to whoever reaches the port, so only an agent may reach it.
        sleeps = asleep and model.listen.on_loopback
        return Server(
            command=_COMMAND,
            args=leader_arguments(spec, model),
            port=model.listen.port,
            health_path="/health",
            metrics_path="/metrics",
            env=_ENV | ({"VLLM_SERVER_DEV_MODE": "1"} if sleeps else {}),
            worker=Worker(command=_COMMAND, args=worker_arguments(spec, model), env=_ENV, compiled_path=_COMPILED),
            metrics="vllm",
            drains=True,
            sleeps=sleeps,
            lora=True,
            compiled_path=_COMPILED,
        )


def leader_arguments(spec: Spec, model: MountedModel) -> tuple[str, ...]:
    """What follows `vllm serve`."""
    serving = flags(
        ("--host", model.listen.host),
        ("--port", model.listen.port),
        ("--served-model-name", model.served_name),
        ("--shutdown-timeout", spec.drain.grace_seconds),  # its default, 0, cuts streams
        ("--disable-access-log-for-endpoints", "/health,/metrics"),
    )
    return (model.path, *serving, *_model_flags(spec, model), *_group(spec, "0"), *spec.engine.args)


def worker_arguments(spec: Spec, model: MountedModel) -> tuple[str, ...]:
    group = _group(spec, "$(LWS_WORKER_INDEX)")
    return (model.path, "--headless", *_model_flags(spec, model), *group, *spec.engine.args)


def _model_flags(spec: Spec, model: MountedModel) -> list[str]:
    """All ranks must be told the same."""
    engine, on_gpu = spec.engine, spec.accelerator.count > 0
    asleep = spec.scaling.asleep_replicas > 0 and model.listen.on_loopback
    return flags(
        ("--max-model-len", engine.context_length),
        ("--max-num-seqs", engine.max_concurrency),
        ("--gpu-memory-utilization", share(engine.gpu_memory_percent) if on_gpu else None),
        ("--tensor-parallel-size", above_one(engine.tensor_parallel)),
        ("--pipeline-parallel-size", above_one(engine.pipeline_parallel)),
        ("--dtype", engine.dtype.value),
        ("--quantization", engine.quantization),
        ("--trust-remote-code", spec.model.trust_remote_code),
        ("--enable-sleep-mode", asleep),
    )


def _group(spec: Spec, rank: str) -> list[str]:
    pods = pods_per_replica(spec)
    if pods == 1:
        return []
    return flags(
        ("--distributed-executor-backend", "mp"),
        ("--nnodes", pods),
        ("--node-rank", rank),
        ("--master-addr", "$(LWS_LEADER_ADDRESS)"),
        ("--master-port", _GROUP_PORT),
    )
