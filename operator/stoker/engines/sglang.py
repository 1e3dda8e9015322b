"""SGLang's server, in its published image."""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server, Worker, pods_per_replica
from stoker.engines.flags import OFFLINE, above_one, flags, share
from stoker.engines.lacking import ASLEEP, MEMORY, NO_SLEEP, first_lack
from stoker_runtime.facts import Format

_GROUP_PORT = 29_501  # where the ranks of a replica of several pods meet
_COMMAND = ("python3", "-m", "sglang.launch_server")
# Its /health generates a token unless it is told not to.
_ENV = OFFLINE | {"SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION": "false"}


class SGLang:
    """Sleeping is left out: its release and resume of memory leaves /health at 200 with nothing loaded."""

    formats = frozenset({Format.SAFETENSORS, Format.PICKLE})
    image = "docker.io/lmsysorg/sglang:v0.5.23"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        if refusal := first_lack(spec, "SGLang", {ASLEEP: NO_SLEEP}):
            return refusal
        return Server(
            command=_COMMAND,
            args=(*_arguments(spec, model), *_group(spec, "0"), *spec.engine.args),
            port=model.listen.port,
            health_path="/health",
            metrics_path="/metrics",
            env=_ENV,
            worker=Worker(
                command=_COMMAND,
                args=(*_arguments(spec, model), *_group(spec, "$(LWS_WORKER_INDEX)"), *spec.engine.args),
                env=_ENV,
            ),
            metrics="sglang",
            drains=True,
            lora=True,
        )


def _arguments(spec: Spec, model: MountedModel) -> list[str]:
    engine = spec.engine
    # Its share leaves out activations and graphs, for which it leaves room by itself where nobody names a share.
    percent = engine.gpu_memory_percent if MEMORY.asked(spec) else None
    return flags(
        ("--model-path", model.path),
        ("--host", model.listen.host),
        ("--port", model.listen.port),
        ("--served-model-name", model.served_name),
        ("--enable-metrics", True),
        ("--device", None if spec.accelerator.count else "cpu"),
        ("--context-length", engine.context_length),
        ("--max-running-requests", engine.max_concurrency),
        ("--mem-fraction-static", share(percent) if percent else None),
        ("--tp-size", above_one(engine.tensor_parallel)),
        ("--pp-size", above_one(engine.pipeline_parallel)),
        ("--dtype", engine.dtype.value),
        ("--quantization", engine.quantization),
        ("--trust-remote-code", spec.model.trust_remote_code),
    )


def _group(spec: Spec, rank: str) -> list[str]:
    pods = pods_per_replica(spec)
    if pods == 1:
        return []
    return flags(
        ("--nnodes", pods), ("--node-rank", rank), ("--dist-init-addr", f"$(LWS_LEADER_ADDRESS):{_GROUP_PORT}")
    )
