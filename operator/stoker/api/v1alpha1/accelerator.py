"""spec.accelerator and spec.resources: what one pod of a replica asks the scheduler for."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stoker.api.declaration import SET, ApiModel, Effect, Rule, Shown, Unit, matching
from stoker.api.v1alpha1.names import LabelValue
from stoker.api.values.frozen import EMPTY, FrozenMap
from stoker.api.values.quantity import Quantity

ResourceName = Annotated[
    str,
    Field(min_length=1, max_length=253),
    matching(
        r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?",
        "{self} is not the name of an extended resource: write VENDOR/DEVICE, such as nvidia.com/gpu",
    ),
]
ResourceAmounts = Annotated[FrozenMap[Quantity], Field(max_length=16)]


class FitCheck(StrEnum):
    """What a model that does not fit its accelerators leads to."""

    ENFORCE = "Enforce"
    WARN = "Warn"


class Accelerator(ApiModel):
    """The GPUs, or other accelerators, of one pod."""

    resource_name: ResourceName = Field("nvidia.com/gpu", examples=["nvidia.com/mig-3g.40gb"])
    """Extended resource that the nodes advertise: a whole GPU, a MIG slice or another vendor's device."""

    count: Annotated[int, Unit("devices")] = Field(1, ge=0, le=64, examples=[4])
    """Devices in one pod. 0 runs the engine on the CPU."""

    products: Annotated[tuple[LabelValue, ...], SET] = Field((), max_length=16, examples=[["NVIDIA-H100-80GB-HBM3"]])
    """GPU products, as the node label nvidia.com/gpu.product spells them, that the pods may run on. Empty: any."""

    fit_check: Annotated[FitCheck, Effect.LIVE] = Field(FitCheck.ENFORCE, examples=["Warn"])
    """Whether a model that does not fit the GPU memory is stopped before a GPU pod exists (Enforce) or started all the
    same (Warn)."""


def _first_above_limit(resources: "Resources") -> str | None:
    for name, request in resources.requests.items():
        limit = resources.limits.get(name)
        if limit is not None and request.amount > limit.amount:
            return name
    return None


# The server evaluates this also where one of the two is no quantity and is refused for that elsewhere.
_ABOVE_LIMIT = (
    "k in self.limits && isQuantity(string(self.requests[k])) && isQuantity(string(self.limits[k]))"
    " && quantity(string(self.requests[k])).isGreaterThan(quantity(string(self.limits[k])))"
)


class Resources(ApiModel):
    """CPU, memory and other resources of the model server's container, as in core/v1. The accelerators are added to
    them."""

    rules = (
        Rule(
            cel=f"!has(self.requests) || !has(self.limits) || !self.requests.exists(k, {_ABOVE_LIMIT})",
            holds=lambda resources: _first_above_limit(resources) is None,
            says="the request for {name} is above its limit: lower requests or raise limits",
            shows={
                "name": Shown(f"self.requests.filter(k, {_ABOVE_LIMIT})[0]", _first_above_limit),
            },
        ),
    )

    requests: ResourceAmounts = Field(EMPTY, examples=[{"cpu": "4", "memory": "32Gi"}])
    """Amounts that the scheduler sets aside."""

    limits: ResourceAmounts = Field(EMPTY, examples=[{"memory": "48Gi"}])
    """Amounts that the container may not exceed."""
