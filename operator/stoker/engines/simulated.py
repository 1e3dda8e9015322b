"""Behaves as a model server does, without a model: for tests of fleets, and for trying Stoker without a GPU."""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server, Worker
from stoker_runtime.facts import Format

_COMMAND = ("python3", "-m", "stoker_runtime")


class Simulated:
    """Needs neither GPU nor weights, and takes both as any other engine does."""

    formats = frozenset({Format.SAFETENSORS, Format.GGUF})
    image = None

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        engine = spec.engine
        listen = model.listen
        args = ["simulated", "--host", listen.host, "--port", str(listen.port)]
        args += ["--served-model-name", model.served_name]
        args += ["--shutdown-timeout", str(spec.drain.grace_seconds)]
        if engine.context_length is not None:
            args += ["--context-length", str(engine.context_length)]
        if engine.max_concurrency is not None:
            args += ["--max-concurrency", str(engine.max_concurrency)]
        # Its routes for sleeping are open to whoever reaches the port, so only an agent may reach it.
        sleeps = spec.scaling.asleep_replicas > 0 and listen.on_loopback
        return Server(
            command=_COMMAND,
            args=(*args, *engine.args),
            port=listen.port,
            health_path="/health",
            metrics_path="/metrics",
            env={"VLLM_SERVER_DEV_MODE": "1"} if sleeps else {},
            worker=Worker(command=_COMMAND, args=("simulated-worker",)),
            metrics="simulated",
            drains=True,
            sleeps=sleeps,
        )
