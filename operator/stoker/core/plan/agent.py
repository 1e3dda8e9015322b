"""The agent of a replica: where it stands, how it is called, and how the kubelet asks it instead of the engine.

Inside: the image has Stoker's runtime, so the agent is the container's first process and starts the engine. Beside: the
engine's image is left as it is, and the agent is a container of its own that starts before the engine and ends after
it. Either way the agent owns the port that clients see, and the engine listens on loopback.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stoker.api.configuration import AgentPlace, Configuration
from stoker.api.v1alpha1.engine import EngineName
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.control_token import ControlKey, Purpose, digest
from stoker.core.engine import Server
from stoker.core.names import AGENT_CONTAINER

Json = dict[str, Any]

# What Stoker's runtime image has besides the runtime.
IN_THE_RUNTIME_IMAGE = (EngineName.VLLM, EngineName.SIMULATED)
CONTROL_PORT = 8010
FAREWELL_HEADER = "X-Stoker-Prestop"
_RUNTIME = ("python3", "-m", "stoker_runtime")
_PROBE_SECONDS = 2


@dataclass(frozen=True)
class Agent:
    """The agent of one replica."""

    place: AgentPlace
    image: str  # of an agent in a container of its own
    settle_seconds: int
    weights_path: str | None  # a folder that Stoker filled and whose manifest can be held against it
    served_name: str


def place_of(configuration: Configuration, engine: EngineName, image: str) -> AgentPlace:
    """The place that the configuration gives to replicas of this image."""
    defaults, runtime = configuration.engine(engine), configuration.runtime.image
    if defaults.agent is not None and image == str(defaults.image or runtime):
        return defaults.agent
    if runtime is None:
        return AgentPlace.NONE
    return AgentPlace.INSIDE if image == str(runtime) else AgentPlace.BESIDE


def serve_port(server: Server) -> int:
    """The pod has one set of ports, and an engine that Stoker does not know has chosen its own."""
    return 8000 if server.port != 8000 else 8001


def agent_args(
    agent: Agent, deployment: ModelDeployment, server: Server, settings: Configuration, key: ControlKey | None
) -> tuple[str, ...]:
    """Without the engine's own command."""
    spec, metadata = deployment.spec, deployment.metadata
    args = ["agent", "--engine", spec.engine.name.value, "--served-name", agent.served_name]
    args += [
        "--serve-port",
        str(serve_port(server)),
        "--control-port",
        str(CONTROL_PORT),
        "--engine-port",
        str(server.port),
    ]
    args += ["--health-path", server.health_path, "--metrics-path", server.metrics_path]
    args += ["--settle-seconds", str(agent.settle_seconds), "--grace-seconds", str(spec.drain.grace_seconds)]
    args += ["--stall-seconds", str(settings.agent.stall_seconds)]
    args += ["--start-seconds", str(settings.pods.startup_seconds)]
    for prompt in spec.engine.warmup_prompts:
        args += ["--warmup-prompt", prompt]
    if agent.weights_path:
        args += ["--weights", agent.weights_path]
    if key:
        token = key.token(Purpose.CONTROL, metadata.namespace, metadata.name)
        args += ["--control-token-sha256", digest(token)]
    if agent.place is AgentPlace.BESIDE and (farewell_said := farewell_token(deployment, key)):
        args += ["--prestop-token-sha256", digest(farewell_said)]
    return tuple(args)


def around(args: Sequence[str], server: Server) -> Json:
    """The engine's container where the agent is its first process."""
    return {"command": list(_RUNTIME), "args": [*args, "--", *server.command, *server.args]}


def beside(agent: Agent, args: Sequence[str], container: Json, settings: Configuration) -> Json:
    """A container of its own. It starts first and ends last, as native sidecars do."""
    requests = {name: str(amount) for name, amount in settings.agent.requests.items()}
    limits = {name: str(amount) for name, amount in settings.agent.limits.items()}
    return {
        "name": AGENT_CONTAINER,
        "image": agent.image,
        "restartPolicy": "Always",
        "command": list(_RUNTIME),
        "args": list(args),
        "resources": {"requests": requests, "limits": limits},
        "securityContext": container["securityContext"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [mount for mount in container["volumeMounts"] if mount["name"] in ("weights", "scratch")],
    }


def farewell_token(deployment: ModelDeployment, key: ControlKey | None) -> str | None:
    """Guards one thing, that somebody in the network makes a replica leave, and can be read where pods can. None: the
    model is not on any server yet, so there is nothing secret to make one of."""
    metadata = deployment.metadata
    secret = key or (ControlKey(metadata.uid.encode()) if metadata.uid else None)
    return secret.token(Purpose.FAREWELL, metadata.namespace, metadata.name) if secret else None


def farewell(deployment: ModelDeployment, key: ControlKey | None) -> Json:
    """The node asks the agent before it ends the engine, and the answer comes when the last request is done."""
    token = farewell_token(deployment, key)
    if token is None:
        return {}
    header = {"name": FAREWELL_HEADER, "value": token}
    return {"preStop": {"httpGet": {"path": "/prestop", "port": CONTROL_PORT, "httpHeaders": [header]}}}


def probes(settings: Configuration) -> Json:
    """The agent answers at once, whatever the engine does, so that a failure to answer is one."""
    return {
        # Once a second: a replica that is ready and not yet known to be is paid for in vain.
        "startupProbe": _probe("/readyz", 1, settings.pods.startup_seconds),
        "readinessProbe": _probe("/readyz", _PROBE_SECONDS, 2),
        "livenessProbe": _probe("/livez", 5, 3),
    }


def _probe(path: str, period_seconds: int, failures: int) -> Json:
    return {
        "httpGet": {"path": path, "port": CONTROL_PORT},
        "periodSeconds": period_seconds,
        "timeoutSeconds": period_seconds,
        "failureThreshold": failures,
    }
