"""The operator's configuration file: the platform team's side, so that a ModelDeployment stays ten lines long."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stoker.api.declaration import ATOMIC, SET, ApiModel, Rule, Unit, map_by, matching
from stoker.api.load_sources import Signals
from stoker.api.rollout_defaults import RolloutDefaults
from stoker.api.v1alpha1.accelerator import ResourceAmounts
from stoker.api.v1alpha1.engine import EngineName
from stoker.api.v1alpha1.names import ObjectName, ShortText
from stoker.api.v1alpha1.weights import AccessMode
from stoker.api.values.frozen import EMPTY, FrozenDict, FrozenJson, FrozenMap
from stoker.api.values.image import IMAGE_PREFIX, ImageReference
from stoker.api.values.quantity import Quantity

# What is free to be a label of stoker_model_info.
_METRIC_LABEL = re.compile(r"(?!(?:namespace|model|engine|served_name)$)[a-z][a-z0-9_]{0,31}")

Patterns = Annotated[tuple[ShortText, ...], Field(max_length=256), SET]
ImagePrefix = Annotated[
    ShortText,
    matching(IMAGE_PREFIX, "{self} is not a registry and a folder below it: write HOST[:PORT][/FOLDER]"),
]
_NO_KEY = "{self} cannot be a key of a ConfigMap: use letters, digits, '-', '_' and '.'"
Objects = Annotated[tuple[FrozenJson, ...], Field(max_length=64), ATOMIC]


class AgentPlace(StrEnum):
    """Where a replica's agent runs."""

    INSIDE = "Inside"
    BESIDE = "Beside"
    NONE = "None"


class Images(ApiModel):
    """Where images come from that nobody names."""

    prefix: ImagePrefix | None = Field(None, examples=["registry.example.com/mirror"])
    """Registry, and folder below it, that stands in for the registry of the engines' published images: with
    registry.example.com/mirror, ghcr.io/ggml-org/llama.cpp becomes registry.example.com/mirror/ggml-org/llama.cpp. An
    image that a ModelDeployment, `engines` or `runtime` names stays as it is."""


class EngineDefaults(ApiModel):
    """What is used for one engine where a ModelDeployment does not say."""

    name: EngineName = Field(examples=["vllm"])
    """The engine."""

    image: ImageReference | None = Field(None, examples=["registry.example.com/stoker/vllm:0.1.0"])
    """Image of replicas whose `spec.engine.image` is absent. Absent here too: `runtime.image` for the engines that it
    has (vllm, simulated), and the engine's published image for the others, as far as there is one."""

    agent: AgentPlace | None = Field(None, examples=["Beside"])
    """Where the agent runs in replicas of that image. Inside: the image has Stoker's runtime, and the agent starts the
    engine; Beside: in a container of its own; None: nowhere, so that load comes from the engine's own metrics, and what
    leaves is not drained by its requests. Absent: Inside where the image is `runtime.image`, Beside otherwise, and None
    without a `runtime.image`."""

    env: FrozenMap[Annotated[str, Field(max_length=4096)]] = Field(EMPTY, examples=[{"VLLM_NO_USAGE_STATS": "1"}])
    """Environment variables that every replica of the engine has, unless its ModelDeployment sets them."""


class PodDefaults(ApiModel):
    """What every replica's pod gets, besides what Stoker needs. A ModelDeployment's template is merged over it."""

    image_pull_secrets: Annotated[tuple[ObjectName, ...], Field(max_length=16), SET] = Field(
        (), examples=[["registry-token"]]
    )
    """Secrets, in the namespace of the ModelDeployment, with which nodes pull the images."""

    node_selector: FrozenMap[Annotated[str, Field(max_length=253)]] = Field(EMPTY, examples=[{"pool": "gpu"}])
    """Labels of the nodes that may run replicas."""

    tolerations: Objects = Field((), examples=[[{"key": "nvidia.com/gpu", "operator": "Exists"}]])
    """Taints of the nodes that replicas tolerate, as in core/v1."""

    priority_class_name: ObjectName | None = Field(None, examples=["serving"])
    """PriorityClass of the pods. Absent: the cluster's default."""

    runtime_class_name: ObjectName | None = Field(None, examples=["nvidia"])
    """RuntimeClass of the pods. Absent: the cluster's default."""

    shared_memory: Quantity = Field(Quantity.parse("2Gi"), examples=["8Gi"])
    """Size of /dev/shm. It counts against the memory of the container once it is written to."""

    compiled: Quantity = Field(Quantity.parse("10Gi"), examples=["20Gi"])
    """Most that vLLM may keep of what it compiled, on the node's disk, for as long as the pod is there. A replica that
    keeps more is evicted."""

    startup_seconds: int = Field(3600, ge=10, le=86_400, examples=[3600])
    """Time after which a replica that is still not loaded is restarted by its node."""


class GpuProduct(ApiModel):
    """What Stoker knows of one GPU product, by the name that the nodes' label nvidia.com/gpu.product has."""

    name: ShortText = Field(examples=["NVIDIA-H100-80GB-HBM3"])
    """The product."""

    tolerations: Objects = Field((), examples=[[{"key": "gpu", "value": "h100", "effect": "NoSchedule"}]])
    """Tolerations that pods for this product get."""

    node_selector: FrozenMap[Annotated[str, Field(max_length=253)]] = Field(EMPTY, examples=[{"pool": "h100"}])
    """Node labels that pods for this product ask for."""

    hourly_price: Quantity | None = Field(None, examples=["2.49"])
    """What one device costs for an hour, in any one currency. Absent: `metrics.hourlyPrice`."""


class Allowed(ApiModel):
    """What a ModelDeployment may ask for. Who may edit one may create pods, so this is the fence. `*` stands for any
    characters; an empty list allows nothing."""

    sources: Patterns = Field(("*",), examples=[["hf://meta-llama/*", "pvc://*"]])
    """Model sources."""

    remote_code: Patterns = Field((), examples=[["hf://nvidia/*"]])
    """Model sources that may set trustRemoteCode."""

    images: Patterns = Field(("*",), examples=[["registry.example.com/*"]])
    """Images of engines and of containers in a template."""

    args: Patterns = Field(("*",), examples=[["--enable-prefix-caching"]])
    """Arguments of engines."""

    env: Patterns = Field(("*",), examples=[["VLLM_*"]])
    """Names of environment variables."""

    template_paths: Patterns = Field(
        (
            "metadata.labels",
            "metadata.annotations",
            "spec.affinity",
            "spec.nodeSelector",
            "spec.tolerations",
            "spec.topologySpreadConstraints",
            "spec.priorityClassName",
            "spec.schedulerName",
            "spec.imagePullSecrets",
            "spec.hostAliases",
            "spec.dnsConfig",
            "spec.containers[server].resources",
            "spec.containers[server].volumeMounts",
            "spec.containers[*].image",
            "spec.containers[*].command",
            "spec.containers[*].args",
            "spec.containers[*].env",
            "spec.containers[*].ports",
            "spec.containers[*].resources",
            "spec.containers[*].volumeMounts",
            "spec.volumes[*].emptyDir",
            "spec.volumes[*].configMap",
            "spec.volumes[*].secret",
        ),
        examples=[["metadata.labels", "spec.nodeSelector"]],
    )
    """Paths of the pod template that a ModelDeployment's template may change, with what is below them. `[*]` stands for
    every container but the server, which has to be named. Not among them by default: host namespaces, host paths,
    security contexts, service accounts."""


class Runtime(ApiModel):
    """Stoker's own image on the model's side: it fetches and inspects weights, is the agent in replicas, and has vLLM
    and the simulated engine."""

    image: ImageReference | None = Field(None, examples=["registry.example.com/stoker/runtime:0.1.0"])
    """The image. Absent: only weights on a claim (pvc://) can be used, and replicas have no agent."""


class Agent(ApiModel):
    """The agent of every replica: it owns the port, counts what passes, and lets the replica leave without a cut."""

    stall_seconds: int = Field(120, ge=10, le=3600, examples=[120])
    """Time without any progress, though requests are being answered, after which an engine is restarted. Long prompts
    get more."""

    requests: ResourceAmounts = Field(
        FrozenDict({"cpu": Quantity.parse("100m"), "memory": Quantity.parse("64Mi")}), examples=[{"cpu": "250m"}]
    )
    """CPU and memory that the scheduler sets aside for an agent in a container of its own."""

    limits: ResourceAmounts = Field(FrozenDict({"memory": Quantity.parse("256Mi")}), examples=[{"memory": "256Mi"}])
    """CPU and memory that such an agent may not exceed."""

    key_file: ShortText | None = Field(None, examples=["/etc/stoker/agent-key"])
    """File with the key, of at least 32 bytes, that the agents' tokens are derived from; the same for every operator
    of the fleet. Absent: replicas cannot be told to sleep or to drain, and leave by their own signals only."""


class CaBundle(ApiModel):
    """A ConfigMap with the certificates of authorities."""

    name: ObjectName = Field(examples=["company-authorities"])
    """The ConfigMap, in the namespace of each ModelDeployment."""

    key: Annotated[ShortText, matching("[-._a-zA-Z0-9]+", _NO_KEY)] = Field("ca.crt", examples=["ca.crt"])
    """Key whose value has the certificates, as PEM: all that are trusted, for they replace those of the image."""


class Fetching(ApiModel):
    """The jobs that inspect and fetch weights. They run on CPUs, and only they see the credentials of a source."""

    env: FrozenMap[Annotated[str, Field(max_length=4096)]] = Field(
        EMPTY, examples=[{"HF_ENDPOINT": "https://hub.example.com", "HTTPS_PROXY": "http://proxy.example.com:3128"}]
    )
    """Environment variables of the jobs: mirrors, proxies, endpoints. No secrets: they would be seen in the pods."""

    ca_bundle: CaBundle | None = Field(None, examples=[{"name": "company-authorities"}])
    """Whose certificates the jobs trust, where a mirror or a proxy has a company's own. Absent: the image's list."""

    requests: ResourceAmounts = Field(
        FrozenDict({"cpu": Quantity.parse("1"), "memory": Quantity.parse("512Mi")}), examples=[{"cpu": "2"}]
    )
    """CPU and memory that the scheduler sets aside for a job."""

    limits: ResourceAmounts = Field(FrozenDict({"memory": Quantity.parse("1Gi")}), examples=[{"memory": "1Gi"}])
    """CPU and memory that a job may not exceed."""


class StorageDefaults(ApiModel):
    """How claims for weights are made where a ModelDeployment does not say."""

    storage_class_name: ObjectName | None = Field(None, examples=["fast-rwx"])
    """StorageClass. Absent: the cluster's default."""

    access_modes: Annotated[tuple[AccessMode, ...], Field(max_length=4), SET] = Field(
        (AccessMode.READ_WRITE_ONCE,), examples=[["ReadWriteMany"]]
    )
    """Access modes. ReadWriteMany lets replicas run on many nodes, where the class has it."""


class Network(ApiModel):
    """Who may reach the replicas."""

    policy: bool = Field(default=True, examples=[True])
    """Whether every model gets a NetworkPolicy: its port open to `clients`, its way out closed."""

    clients: Objects = Field(({},), examples=[[{"matchLabels": {"kubernetes.io/metadata.name": "gateway"}}]])
    """Selectors of the namespaces whose pods may call the models. `{}` selects all of them."""

    watchers: Objects = Field(({},), examples=[[{"matchLabels": {"kubernetes.io/metadata.name": "stoker-system"}}]])
    """Selectors of the namespaces whose pods may ask the agents for load and metrics: the operator's and Prometheus'.
    `{}` selects all of them."""


class Limits(ApiModel):
    """Bounds over all ModelDeployments."""

    max_replicas: Annotated[int, Unit("replicas")] = Field(10_000, ge=1, le=10_000, examples=[50])
    """Most replicas of one ModelDeployment, whatever its spec says."""


class Capacity(StrEnum):
    """What the accelerators of the fleet are counted by."""

    ELASTIC = "Elastic"
    NODES = "Nodes"


class ScalingDefaults(ApiModel):
    """How the number of replicas follows the load, for the fleet as a whole."""

    capacity: Capacity = Field(Capacity.ELASTIC, examples=["Nodes"])
    """Nodes: models share the accelerators of the nodes that there are, by priority. Elastic: nodes are added for
    replicas that wait, so nothing but `maxPendingReplicas` bounds them."""

    max_pending_replicas: Annotated[int, Unit("replicas")] = Field(4, ge=1, le=1000, examples=[4])
    """Most replicas of one model that may wait for a node at once."""

    utilization_percent: int = Field(100, ge=5, le=200, examples=[80])
    """Share of what a replica is known to carry that lasting load may use, where a ModelDeployment does not say. At 100
    replicas carry the load that there is; lower buys latency with replicas, higher saves replicas."""

    removal_percent: int = Field(10, ge=1, le=100, examples=[10])
    """Share of the fleet's serving replicas that may be taken away within ten minutes because of less load."""

    removals: Annotated[int, Unit("replicas")] = Field(10, ge=1, le=10_000, examples=[10])
    """So many may be taken away within ten minutes in any case, so that a small fleet is not held up."""


class Watch(ApiModel):
    """Which ModelDeployments this operator looks after."""

    namespaces: Annotated[tuple[ObjectName, ...], Field(max_length=256), SET] = Field((), examples=[["team-a"]])
    """Namespaces. Empty: all of them, which needs cluster-wide permissions."""


class Reconciling(ApiModel):
    """How much work is done at once, and how often by itself."""

    workers: Annotated[int, Unit("models")] = Field(16, ge=1, le=256, examples=[16])
    """Models that are worked on at once."""

    resync_seconds: int = Field(600, ge=30, le=86_400, examples=[600])
    """Every model is looked at again at least this often."""

    status_seconds: int = Field(30, ge=1, le=3600, examples=[30])
    """Shortest time between two writes of a status in which only numbers changed."""


class Leadership(ApiModel):
    """One operator acts, others stand by."""

    lease_name: ObjectName = Field("stoker-operator", examples=["stoker-operator"])
    """Name of the Lease, in the operator's namespace."""

    lease_seconds: int = Field(15, ge=3, le=300, examples=[15])
    """Time after its last renewal that a leader is waited for."""

    renew_deadline_seconds: int = Field(10, ge=2, le=299, examples=[10])
    """Time without a renewal after which a leader stops by itself."""

    retry_seconds: int = Field(2, ge=1, le=60, examples=[2])
    """Time between two looks at the Lease."""


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """What is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Log(ApiModel):
    """The operator's own log."""

    format: LogFormat = Field(LogFormat.TEXT, examples=["json"])
    """Lines for people or for machines."""

    level: LogLevel = Field(LogLevel.INFO, examples=["debug"])
    """Least important lines that are written."""


class Probes(ApiModel):
    """Where the operator answers for its own health."""

    port: Annotated[int, Unit("port number")] = Field(8080, ge=0, le=65_535, examples=[8080])
    """Port of /healthz, /readyz and /metrics. 0: any free one, which is logged."""


class Metrics(ApiModel):
    """What the operator tells Prometheus, at /metrics on `probes.port`, besides what it counts itself."""

    rules = (
        Rule(
            cel="",
            holds=lambda it: all(_METRIC_LABEL.fullmatch(name) for name in it.model_labels),
            says="modelLabels must be named with small letters, digits and _, such as cost_centre, and not like a label"
            " that every model has (namespace, model, engine, served_name)",
            at="modelLabels",
        ),
    )

    model_labels: Annotated[FrozenMap[ShortText], Field(max_length=8)] = Field(
        EMPTY, examples=[{"owner": "example.com/owner"}]
    )
    """Labels of the metric stoker_model_info, each with the label or annotation of the ModelDeployment that it is read
    from: an owner, a cost centre. An edit of those restarts nothing."""

    hourly_price: Quantity | None = Field(None, examples=["1.80"])
    """What a device costs for an hour whose product has no price in `gpuProducts`. Absent: nobody knows, so no cost
    is told."""


class Configuration(ApiModel):
    """Everything that can be set for the operator. Every key has a default, so an empty file is a valid one."""

    rules = (
        Rule(
            cel="",
            holds=lambda it: it.leadership.renew_deadline_seconds < it.leadership.lease_seconds,
            says="renewDeadlineSeconds {self.leadership.renewDeadlineSeconds} is not below leaseSeconds"
            " {self.leadership.leaseSeconds}: a leader must stop before another one starts, so lower it",
            at="leadership.renewDeadlineSeconds",
        ),
        Rule(
            cel="",
            holds=lambda it: it.leadership.retry_seconds < it.leadership.renew_deadline_seconds,
            says="retrySeconds {self.leadership.retrySeconds} is not below renewDeadlineSeconds"
            " {self.leadership.renewDeadlineSeconds}: a leader must renew before its deadline, so lower it",
            at="leadership.retrySeconds",
        ),
    )

    watch: Watch = Field(Watch(), examples=[{"namespaces": ["team-a"]}])
    """Which ModelDeployments this operator looks after."""

    images: Images = Field(Images(), examples=[{"prefix": "registry.example.com/mirror"}])
    """Where images come from that nobody names."""

    engines: Annotated[tuple[EngineDefaults, ...], map_by("name"), Field(max_length=32)] = Field(
        (), examples=[[{"name": "vllm", "image": "registry.example.com/stoker/vllm:0.1.0"}]]
    )
    """Images and variables of the engines."""

    pods: PodDefaults = Field(PodDefaults(), examples=[{"priorityClassName": "serving"}])
    """What every replica's pod gets."""

    gpu_products: Annotated[tuple[GpuProduct, ...], map_by("name"), Field(max_length=256)] = Field(
        (), examples=[[{"name": "NVIDIA-H100-80GB-HBM3", "nodeSelector": {"pool": "h100"}}]]
    )
    """Tolerations and selectors of GPU products."""

    runtime: Runtime = Field(Runtime(), examples=[{"image": "registry.example.com/stoker/runtime:0.1.0"}])
    """Stoker's own image on the model's side."""

    agent: Agent = Field(Agent(), examples=[{"stallSeconds": 120}])
    """The agent of every replica."""

    weights: Fetching = Field(Fetching(), examples=[{"requests": {"cpu": "2"}}])
    """The jobs that inspect and fetch weights."""

    storage: StorageDefaults = Field(StorageDefaults(), examples=[{"accessModes": ["ReadWriteMany"]}])
    """How claims for weights are made."""

    allowed: Allowed = Field(Allowed(), examples=[{"sources": ["hf://meta-llama/*"]}])
    """What a ModelDeployment may ask for."""

    network: Network = Field(Network(), examples=[{"policy": False}])
    """Who may reach the replicas."""

    limits: Limits = Field(Limits(), examples=[{"maxReplicas": 50}])
    """Bounds over all ModelDeployments."""

    scaling: ScalingDefaults = Field(ScalingDefaults(), examples=[{"capacity": "Nodes"}])
    """How the number of replicas follows the load."""

    rollouts: RolloutDefaults = Field(RolloutDefaults(), examples=[{"surgeWaitSeconds": 60}])
    """How new revisions take over."""

    signals: Signals = Field(Signals(), examples=[{"busySeconds": 2}])
    """How replicas are asked for their load."""

    reconciling: Reconciling = Field(Reconciling(), examples=[{"workers": 16}])
    """How much work is done at once."""

    leadership: Leadership = Field(Leadership(), examples=[{"leaseName": "stoker-operator"}])
    """One operator acts, others stand by."""

    probes: Probes = Field(Probes(), examples=[{"port": 8080}])
    """Where the operator answers for its own health."""

    metrics: Metrics = Field(Metrics(), examples=[{"modelLabels": {"owner": "example.com/owner"}}])
    """What the operator tells Prometheus."""

    log: Log = Field(Log(), examples=[{"format": "json"}])
    """The operator's own log."""

    def engine(self, name: EngineName) -> EngineDefaults:
        return next((engine for engine in self.engines if engine.name == name), EngineDefaults(name=name))
