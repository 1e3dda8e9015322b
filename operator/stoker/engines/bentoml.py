"""A BentoML service, in the image that `bentoml containerize` made of it."""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.flags import OFFLINE
from stoker.engines.lacking import ASLEEP, CONCURRENCY, CONTEXT, DTYPE, MEMORY, NO_SLEEP, QUANTIZATION, first_lack
from stoker_runtime.facts import Format

_OWN_CODE = "leaves that to the service's own code: remove it, and set it there, by spec.engine.env where it reads that"
_LACKS = {
    CONTEXT: _OWN_CODE,
    CONCURRENCY: _OWN_CODE,
    MEMORY: _OWN_CODE,
    DTYPE: _OWN_CODE,
    QUANTIZATION: _OWN_CODE,
    ASLEEP: NO_SLEEP,
}


class BentoML:
    """What the service does with the weights is its own business; it is told where they are by environment."""

    formats = frozenset({Format.SAFETENSORS, Format.GGUF})
    image = None

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        if refusal := first_lack(spec, "BentoML", _LACKS):
            return refusal
        port = model.listen.port
        return Server(
            args=spec.engine.args,
            port=port,
            health_path="/readyz",
            metrics_path="/metrics",
            env=OFFLINE
            | {
                "BENTOML_HOST": model.listen.host,
                "BENTOML_PORT": str(port),
                "BENTOML_DO_NOT_TRACK": "True",
                "MODEL_PATH": model.path,
                "SERVED_MODEL_NAME": model.served_name,
            },
            metrics="bentoml",
            drains=True,
        )
