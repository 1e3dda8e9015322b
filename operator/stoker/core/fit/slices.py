"""MIG slices: the part of a GPU that a node advertises as a device of its own, such as nvidia.com/mig-3g.40gb."""

import re
from dataclasses import dataclass

from stoker.core.fit.catalogue import MIB, PRODUCTS

RESOURCE_PREFIX = "nvidia.com/mig-"
PROFILE = re.compile(r"[1-7]g\.[0-9]+gb")


@dataclass(frozen=True)
class Slice:
    """One profile of one family of GPUs."""

    family: str  # the start of the products' labels
    sold_as_gb: int  # of the whole GPU
    profile: str
    memory_mib: int

    @property
    def resource(self) -> str:
        """What a node advertises under the mixed strategy."""
        return RESOURCE_PREFIX + self.profile

    @property
    def memory_bytes(self) -> int:
        return self.memory_mib * MIB


def _published(family: str, sold_as_gb: int, gib: dict[str, float]) -> tuple[Slice, ...]:
    return tuple(Slice(family, sold_as_gb, profile, int(size * 1024)) for profile, size in gib.items())


# A slice is given as many eighths of the memory, less what the driver keeps of it. The GiB of the first three are in
# NVIDIA's MIG guide (`nvidia-smi mig -lgip`). For the others no full list is published: they are the smallest shares of
# an eighth, a quarter, a half and the whole that were seen on these families, so that they err on the small side.
_KEPT = {1: 0.90, 2: 0.92, 4: 0.97, 8: 0.97}


def _by_eighths(family: str, sold_as_gb: int, memory_mib: int, eighths: dict[str, int]) -> tuple[Slice, ...]:
    return tuple(
        Slice(family, sold_as_gb, profile, int(memory_mib * part / 8 * _KEPT[part]))
        for profile, part in eighths.items()
    )


SLICES: tuple[Slice, ...] = (
    *_published("NVIDIA-A30", 24, {"1g.6gb": 5.81, "2g.12gb": 11.69, "4g.24gb": 23.44}),
    *_published(
        "NVIDIA-A100",
        40,
        {"1g.5gb": 4.75, "1g.10gb": 9.62, "2g.10gb": 9.62, "3g.20gb": 19.5, "4g.20gb": 19.5, "7g.40gb": 39.25},
    ),
    *_published(
        "NVIDIA-A100",
        80,
        {"1g.10gb": 9.5, "1g.20gb": 19.25, "2g.20gb": 19.25, "3g.40gb": 39.25, "4g.40gb": 39.25, "7g.80gb": 78.75},
    ),
    *_published(
        "NVIDIA-H100",
        80,
        {"1g.10gb": 9.75, "1g.20gb": 19.62, "2g.20gb": 19.62, "3g.40gb": 39.5, "4g.40gb": 39.5, "7g.80gb": 79.25},
    ),
    *_by_eighths(
        "NVIDIA-H100",
        94,
        95_830,
        {"1g.12gb": 1, "1g.24gb": 2, "2g.24gb": 2, "3g.47gb": 4, "4g.47gb": 4, "7g.94gb": 8},
    ),
    *_by_eighths(
        "NVIDIA-GH200",
        96,
        97_871,
        {"1g.12gb": 1, "1g.24gb": 2, "2g.24gb": 2, "3g.48gb": 4, "4g.48gb": 4, "7g.96gb": 8},
    ),
    *_by_eighths(
        "NVIDIA-H200",
        141,
        143_771,
        {"1g.18gb": 1, "1g.35gb": 2, "2g.35gb": 2, "3g.71gb": 4, "4g.71gb": 4, "7g.141gb": 8},
    ),
    *_by_eighths(
        "NVIDIA-B200",
        180,
        183_359,
        {"1g.23gb": 1, "1g.45gb": 2, "2g.45gb": 2, "3g.90gb": 4, "4g.90gb": 4, "7g.180gb": 8},
    ),
    *_by_eighths("NVIDIA-RTX-PRO-6000-Blackwell", 96, 97_887, {"1g.24gb": 2, "2g.48gb": 4, "4g.96gb": 8}),
)


def slices_of(profile: str, product: str | None = None) -> tuple[Slice, ...]:
    """The slices of a profile such as 3g.40gb, of one product or of all, smallest first."""
    found = [item for item in SLICES if item.profile == profile and (product is None or _is_of(item, product))]
    return tuple(sorted(found, key=lambda item: item.memory_mib))


def _is_of(item: Slice, product: str) -> bool:
    return any(
        known.label == product and known.sold_as_gb == item.sold_as_gb and known.label.startswith(item.family)
        for known in PRODUCTS
    )
