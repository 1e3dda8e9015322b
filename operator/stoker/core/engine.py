"""What the planner asks of an engine: how to start its server. Everything else about an engine is its profile's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.api.v1alpha1.reason import Reason
from stoker_runtime.facts import Format


@dataclass(frozen=True)
class Refusal:
    """Why something cannot be done, as a condition says it."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Listen:
    """Where the server has to listen."""

    host: str
    port: int

    @property
    def on_loopback(self) -> bool:
        """Whether nobody but the agent can reach it."""
        return self.host in ("127.0.0.1", "::1")


EVERYWHERE = Listen("0.0.0.0", 8000)  # noqa: S104 - a pod has one address, and the kubelet and the Service come by it
BEHIND_THE_AGENT = Listen("127.0.0.1", 8100)


@dataclass(frozen=True)
class MountedModel:
    """What the server's container finds, and where it has to listen."""

    served_name: str
    path: str
    listen: Listen = EVERYWHERE
    files: tuple[str, ...] | None = None  # below the path; None: nobody looked


@dataclass(frozen=True)
class Worker:
    """What the other pods of a replica run, where it spans several. They find their leader by the environment that the
    LeaderWorkerSet controller gives them: LWS_LEADER_ADDRESS, LWS_GROUP_SIZE and LWS_WORKER_INDEX."""

    args: tuple[str, ...]
    command: tuple[str, ...] = ()  # empty: the image's own
    env: Mapping[str, str] = field(default_factory=dict)
    compiled_path: str | None = None


@dataclass(frozen=True)
class Server:
    """How to start a model server and how to ask it whether it is well."""

    args: tuple[str, ...]
    port: int  # the engine's own
    health_path: str  # answers 200 when the model is loaded, and does not run it
    metrics_path: str
    command: tuple[str, ...] = ()  # empty: the image's own
    env: Mapping[str, str] = field(default_factory=dict)
    worker: Worker | None = None  # None: the engine, or this way to set it up, cannot span pods
    metrics: str | None = None  # its name in stoker_runtime.readings; None: it has no metrics
    drains: bool = False  # requests that run are finished after SIGTERM
    sleeps: bool = False  # has /sleep and /wake_up, as it is set up here
    lora: bool = False  # can serve adapters
    compiled_path: str | None = None  # the folder that it keeps what it compiled in, to find it there again


def pods_per_replica(spec: Spec) -> int:
    """tensorParallel * pipelineParallel ranks, each on a device of its own, accelerator.count devices in a pod."""
    devices = spec.accelerator.count
    return max(1, spec.engine.tensor_parallel * spec.engine.pipeline_parallel // devices) if devices else 1


class EngineProfile(Protocol):
    """One engine."""

    formats: frozenset[Format]
    """Weights that it can load."""

    @property
    def image(self) -> str | None:
        """The published image, with the version that the flags were checked against. None: there is none to take."""

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        """The server for a spec, or why this engine cannot be set up so."""
