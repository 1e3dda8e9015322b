"""A server that Stoker does not know: its owner says how to start it and how to ask it for its health."""

from stoker.api.v1alpha1.engine import CustomServer
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server
from stoker_runtime.facts import Format


class Custom:
    """Tells the server where its weights are by environment; the rest is in spec.engine.custom and args."""

    formats = frozenset({Format.SAFETENSORS, Format.GGUF})
    image = None

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        described = spec.engine.custom or CustomServer()
        return Server(
            command=described.command,
            args=spec.engine.args,
            port=described.port,
            health_path=described.health_path,
            metrics_path=described.metrics_path,
            env={"MODEL_PATH": model.path, "SERVED_MODEL_NAME": model.served_name, "PORT": str(described.port)},
            metrics="custom",
        )
