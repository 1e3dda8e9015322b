"""The ModelDeployment as a whole."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stoker.api.declaration import ApiModel, Effect, Rule, Unit
from stoker.api.v1alpha1.accelerator import Accelerator, Resources
from stoker.api.v1alpha1.engine import TENSOR_PARALLEL_ENGINES, Engine, cel_list
from stoker.api.v1alpha1.model import Model
from stoker.api.v1alpha1.rollout import Drain, Rollout
from stoker.api.v1alpha1.scaling import MOST_REPLICAS, Scaling
from stoker.api.v1alpha1.status import Status
from stoker.api.v1alpha1.template import PodTemplatePatch
from stoker.api.v1alpha1.weights import Weights
from stoker.api.values.frozen import EMPTY, FrozenJson, FrozenMap

GROUP = "stoker.dev"
VERSION = "v1alpha1"
KIND = "ModelDeployment"
LONGEST_NAME = 40  # leaves room for a revision and a pod's own suffix within the 63 characters of a label


def _devices_fit_the_split(spec: "Spec") -> bool:
    devices, tensor = spec.accelerator.count, spec.engine.tensor_parallel
    ranks = tensor * spec.engine.pipeline_parallel
    if spec.engine.name not in TENSOR_PARALLEL_ENGINES:
        return True
    if devices == 0:
        return ranks == 1
    return ranks % devices == 0 and devices % tensor == 0


def _accelerator_not_repeated(spec: "Spec") -> bool:
    name = spec.accelerator.resource_name
    return name not in spec.resources.requests and name not in spec.resources.limits


class Spec(ApiModel):
    """What the user wants."""

    rules = (
        Rule(
            cel="self.replicas <= self.scaling.maxReplicas",
            holds=lambda spec: spec.replicas <= spec.scaling.max_replicas,
            says="replicas {self.replicas} is above scaling.maxReplicas {self.scaling.maxReplicas}:"
            " lower replicas or raise scaling.maxReplicas",
            at=".replicas",
        ),
        Rule(
            cel=f"!(self.engine.name in {cel_list(TENSOR_PARALLEL_ENGINES)}) || (self.accelerator.count == 0"
            " ? self.engine.tensorParallel * self.engine.pipelineParallel == 1"
            " : (self.engine.tensorParallel * self.engine.pipelineParallel) % self.accelerator.count == 0"
            # A bound that is broken elsewhere does not keep the server from evaluating this.
            " && (self.engine.tensorParallel < 1 || self.accelerator.count % self.engine.tensorParallel == 0))",
            holds=_devices_fit_the_split,
            says="accelerator.count {self.accelerator.count} does not go with engine.tensorParallel"
            " {self.engine.tensorParallel} times engine.pipelineParallel {self.engine.pipelineParallel}: set"
            " accelerator.count to their product for one pod, or to tensorParallel for a pod per pipeline stage",
            at=".accelerator.count",
        ),
        Rule(
            cel="!has(self.resources)"
            " || ((!has(self.resources.requests) || !(self.accelerator.resourceName in self.resources.requests))"
            " && (!has(self.resources.limits) || !(self.accelerator.resourceName in self.resources.limits)))",
            holds=_accelerator_not_repeated,
            says="resources repeats {self.accelerator.resourceName}: remove it there, accelerator.count asks for it",
            at=".resources",
        ),
    )

    model: Annotated[Model, Effect.REVISION] = Field(examples=[{"source": "hf://Qwen/Qwen2.5-7B-Instruct"}])
    """The model: where its weights are and the name under which it is served."""

    engine: Annotated[Engine, Effect.REVISION] = Field(Engine(), examples=[{"name": "vllm", "contextLength": 8192}])
    """The model server and its settings."""

    accelerator: Annotated[Accelerator, Effect.REVISION] = Field(Accelerator(), examples=[{"count": 4}])
    """The GPUs, or other accelerators, of one pod."""

    resources: Annotated[Resources, Effect.REVISION] = Field(
        Resources(), examples=[{"requests": {"cpu": "4", "memory": "32Gi"}}]
    )
    """CPU, memory and other resources of the model server's container."""

    weights: Weights = Field(Weights(), examples=[{"storage": {"claim": {"size": "100Gi"}}}])
    """How the weights are stored."""

    replicas: Annotated[int, Unit("replicas")] = Field(1, ge=0, le=MOST_REPLICAS, examples=[2])
    """At least this many replicas serve. With `scaling.mode: Off` it is the exact number. `kubectl scale` writes it;
    Stoker never does."""

    scaling: Scaling = Field(examples=[{"maxReplicas": 8, "warmReplicas": 1}])
    """How the number of replicas follows the load."""

    priority: Annotated[int, Unit("rank")] = Field(0, ge=-1000, le=1000, examples=[100])
    """Who gets the last GPU: the model with the higher number."""

    rollout: Rollout = Field(Rollout(), examples=[{"strategy": "Surge"}])
    """How a new revision takes over from the old one."""

    drain: Annotated[Drain, Effect.REVISION] = Field(Drain(), examples=[{"graceSeconds": 600}])
    """How a replica leaves."""

    template: Annotated[PodTemplatePatch, Effect.REVISION] = Field(
        PodTemplatePatch(), examples=[{"spec": {"priorityClassName": "serving"}}]
    )
    """A patch over the pods that Stoker renders, within what the operator's configuration allows."""

    suspend: bool = Field(default=False, examples=[False])
    """Removes every replica, after its drain, and keeps the weights and the object."""


class ObjectMeta(ApiModel):
    """The parts of an object's metadata that files may have and Stoker reads."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    labels: FrozenMap[str] = EMPTY
    annotations: FrozenMap[str] = EMPTY
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[FrozenJson, ...] = ()
    managed_fields: tuple[FrozenJson, ...] = ()
    self_link: str | None = None


class ModelDeployment(ApiModel):
    """A model that is kept hot: its weights, its server, and as many replicas as its users need."""

    # The API server lets rules at the root read a name and nothing else of the metadata.
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"self.metadata.name.size() <= {LONGEST_NAME}",
            holds=lambda deployment: len(deployment.metadata.name) <= LONGEST_NAME,
            says=f"the name {{self.metadata.name}} is too long: use at most {LONGEST_NAME} characters,"
            " so that the names of pods and revisions can be made from it",
            at=".metadata.name",
        ),
        Rule(
            cel="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            holds=lambda deployment: _is_dns_label(deployment.metadata.name),
            says="the name {self.metadata.name} cannot be the name of a Service: use lowercase letters, digits and '-',"
            " start with a letter and end with a letter or digit",
            at=".metadata.name",
        ),
    )

    api_version: Literal["stoker.dev/v1alpha1"] = "stoker.dev/v1alpha1"
    kind: Literal["ModelDeployment"] = "ModelDeployment"
    metadata: ObjectMeta
    spec: Spec = Field()
    """What the user wants."""

    status: Status = Field(Status())
    """What Stoker found and did."""


def _is_dns_label(name: str) -> bool:
    return (
        bool(name)
        and name.isascii()
        and name.replace("-", "").isalnum()
        and name == name.lower()
        and name[0].isalpha()
        and name[-1] != "-"
    )
