"""status: what Stoker found and did. Numbers are whole; their names carry the unit."""

from typing import Annotated

from pydantic import Field

from stoker.api.declaration import ApiModel, Unit, map_by
from stoker.api.v1alpha1.condition import DEFAULT_CONDITIONS, Condition, Timestamp
from stoker.api.v1alpha1.names import ShortText

Count = Annotated[int, Unit("replicas"), Field(ge=0)]
Bytes = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[int, Field(ge=0)]


class RevisionStatus(ApiModel):
    """One revision that has replicas, or that a rollback could return to."""

    name: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["3f9a1c07be"])
    """Name of the revision."""

    number: Annotated[int, Unit("revision")] = Field(0, ge=0, examples=[4])
    """Order in which the revisions were made; the newest has the highest."""

    state: ShortText | None = Field(None, examples=["Surging"])
    """Current: it serves. Surging, Exchanging, Holding, Switched: it takes over, one replica beside the old ones, one
    in place of an old one, as a second set off traffic, or with all traffic. Old: it is being replaced. Failed: it was
    given up. Kept: it has no replicas, and a rollback could return to it."""

    wanted_replicas: Count = Field(0, examples=[2])
    """Replicas that it should have at this point of a rollout."""

    replicas: Count = Field(0, examples=[2])
    """Replicas of this revision, of any tier."""

    ready_replicas: Count = Field(0, examples=[2])
    """Replicas of this revision that are loaded and healthy."""

    image: ShortText | None = Field(None, examples=["registry.example.com/stoker/vllm@sha256:" + 64 * "0"])
    """Image of the engine, by digest where the nodes have told it."""

    weights_revision: ShortText | None = Field(None, examples=["0e9e39f249a16976918f6564b8830bc894c89659"])
    """What the source's revision was resolved to: a commit or a digest."""

    failed_reason: ShortText | None = Field(None, examples=["LoadDeadlineExceeded"])
    """Why the revision was given up. It is not tried again until the spec changes."""

    failed_message: Annotated[str, Field(max_length=1024)] | None = Field(
        None, examples=["Pod llama-8b-3f9a1c07be-x2v9k, container server, ended with exit code 2."]
    )
    """What was seen of its failure."""


class WeightsStatus(ApiModel):
    """The weights on the volume."""

    revision: ShortText | None = Field(None, examples=["0e9e39f249a16976918f6564b8830bc894c89659"])
    """What the source's revision was resolved to."""

    claim_name: ShortText | None = Field(None, examples=["llama-8b-weights"])
    """The claim that holds them."""

    fetched_bytes: Bytes | None = Field(None, examples=[13_314_398_617])
    """Bytes on the volume and verified."""

    total_bytes: Bytes | None = Field(None, examples=[16_060_556_376])
    """Bytes that the source lists."""

    message: Annotated[str, Field(max_length=256)] | None = Field(
        None, examples=["Downloading 12.4/15.9 GiB, 310 MiB/s, 12 s left"]
    )
    """Progress for a person."""


class ModelFacts(ApiModel):
    """What the headers of the weights and the model's configuration say."""

    architecture: ShortText | None = Field(None, examples=["LlamaForCausalLM"])
    """Architecture, as the configuration names it."""

    parameters: Annotated[int | None, Unit("parameters")] = Field(None, ge=0, examples=[8_030_261_248])
    """Parameters in all."""

    active_parameters: Annotated[int | None, Unit("parameters")] = Field(None, ge=0, examples=[8_030_261_248])
    """Parameters that one token passes through; fewer than all in a mixture of experts."""

    quantization: ShortText | None = Field(None, examples=["fp8"])
    """Quantization of the stored weights."""

    context_length: Annotated[int | None, Unit("tokens")] = Field(None, ge=0, examples=[131_072])
    """Longest context that the model was made for."""

    kv_bytes_per_token: Annotated[Bytes | None, Unit("bytes")] = Field(None, examples=[131_072])
    """KV cache that one token of context takes, over all GPUs."""

    gpu_memory_needed_bytes: Bytes | None = Field(None, examples=[20_615_843_020])
    """Memory that each GPU needs, for one request of full length."""

    full_context_concurrency: Annotated[int | None, Unit("requests")] = Field(None, ge=0, examples=[14])
    """Requests of full length that one replica holds at once."""


class LearnedCapacity(ApiModel):
    """What one replica was seen to carry inside the objective, kept so that a restart forgets nothing."""

    revision: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["3f9a1c07be"])
    """Revision that it was learned on."""

    product: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["NVIDIA-H100-80GB-HBM3"])
    """GPU product that it was learned on."""

    concurrency: Annotated[int, Unit("requests")] = Field(ge=0, examples=[96])
    """Requests that a replica runs at once inside the objective."""

    milli_requests_per_second: Annotated[int, Unit("requests per 1,000 seconds")] = Field(ge=0, examples=[15_800])
    """Requests that a replica finishes, in thousandths of a request per second."""

    confidence_percent: int = Field(ge=0, le=100, examples=[92])
    """How sure this is; 0 means a guess from the GPU and the size of the model."""

    observed_seconds: int = Field(0, ge=0, examples=[5400])
    """Time under load that went into it."""


class LearnedStage(ApiModel):
    """How long one stage between ordering a replica and its first token takes."""

    name: Annotated[str, Field(min_length=1, max_length=32)] = Field(examples=["loading"])
    """The stage: queued, provisioning, pulling or loading."""

    p50_milliseconds: Milliseconds = Field(examples=[24_000])
    """Half of the replicas are done with it by then."""

    p90_milliseconds: Milliseconds = Field(examples=[41_000])
    """Nine of ten replicas are done with it by then."""


class ScalingStatus(ApiModel):
    """The last decision, and the memory that the next one needs."""

    decision: ShortText | None = Field(None, examples=["ScaleUp"])
    """The last decision that changed something."""

    explanation: Annotated[str, Field(max_length=4096)] | None = Field(
        None, examples=["4 → 6: 31 requests wait 2.1 s, 6 replicas drain them in 40 s"]
    )
    """Its inputs, as a sentence."""

    decision_time: Timestamp | None = Field(None, examples=["2026-11-21T08:00:00Z"])
    """When it was taken."""

    last_up_time: Timestamp | None = Field(None, examples=["2026-11-21T08:00:00Z"])
    """When replicas were last added."""

    last_down_time: Timestamp | None = Field(None, examples=["2026-11-21T07:12:00Z"])
    """When a replica was last removed."""

    capacities: Annotated[tuple[LearnedCapacity, ...], map_by("revision", "product")] = Field(
        (), max_length=32, examples=[[]]
    )
    """Learned capacity of a replica."""

    stages: Annotated[tuple[LearnedStage, ...], map_by("name")] = Field((), max_length=8, examples=[[]])
    """Learned time to start a replica."""


class Status(ApiModel):
    """What Stoker found and did."""

    observed_generation: Annotated[int, Unit("generation")] = Field(0, ge=0, examples=[3])
    """The metadata.generation that this status is about."""

    conditions: Annotated[tuple[Condition, ...], map_by("type")] = Field(
        DEFAULT_CONDITIONS, max_length=16, examples=[[{"type": "Ready", "status": "True"}]]
    )
    """Statements about the object; start with Ready."""

    replicas: Count = Field(0, examples=[3])
    """Serving replicas, ready or not. The scale subresource reports it."""

    ready_replicas: Count = Field(0, examples=[3])
    """Serving replicas that take traffic."""

    warm_replicas: Count = Field(0, examples=[1])
    """Replicas that are loaded and kept off traffic."""

    asleep_replicas: Count = Field(0, examples=[0])
    """Replicas whose weights are out of GPU memory."""

    starting_replicas: Count = Field(0, examples=[1])
    """Replicas that are ordered and not loaded yet."""

    draining_replicas: Count = Field(0, examples=[0])
    """Replicas that are off traffic and finish their requests."""

    desired_replicas: Count = Field(0, examples=[3])
    """Serving replicas that the traffic needs, within the limits."""

    accelerators: Annotated[int, Unit("devices")] = Field(0, ge=0, examples=[4])
    """Accelerators that all replicas hold."""

    waiting_requests: Annotated[int | None, Unit("requests")] = Field(None, ge=0, examples=[12])
    """Requests that wait in the engines' queues. Absent: unknown."""

    running_requests: Annotated[int | None, Unit("requests")] = Field(None, ge=0, examples=[87])
    """Requests that are being answered. Absent: unknown."""

    selector: Annotated[str, Field(max_length=512)] | None = Field(
        None, examples=["stoker.dev/model=llama-8b,stoker.dev/tier=serving"]
    )
    """Label selector of the serving pods, for the scale subresource."""

    served_name: ShortText | None = Field(None, examples=["llama-8b"])
    """The name that clients send as `model`."""

    url: ShortText | None = Field(None, examples=["http://llama-8b.models.svc:80/v1"])
    """Base address of the OpenAI API inside the cluster."""

    current_revision: ShortText | None = Field(None, examples=["3f9a1c07be"])
    """Revision that serves."""

    update_revision: ShortText | None = Field(None, examples=["a41f07dd92"])
    """Revision that the spec describes; equal to the current one when no rollout is under way."""

    good_revision: ShortText | None = Field(None, examples=["3f9a1c07be"])
    """The last revision whose rollout came to its end. A rollout that fails goes back to it."""

    revisions: Annotated[tuple[RevisionStatus, ...], map_by("name")] = Field((), max_length=32, examples=[[]])
    """Revisions that have replicas or whose weights are kept."""

    weights: WeightsStatus | None = Field(None, examples=[{"claimName": "llama-8b-weights"}])
    """The weights on the volume."""

    model: ModelFacts | None = Field(None, examples=[{"parameters": 8_030_261_248}])
    """What the weights say of the model."""

    scaling: ScalingStatus | None = Field(None, examples=[{"decision": "ScaleUp"}])
    """The last scaling decision, and what was learned."""
