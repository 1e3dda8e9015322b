"""How fast GPU products read their memory and multiply, by their makers' data sheets: dense 16-bit arithmetic, as most
models compute. What is not listed is not guessed."""

from dataclasses import dataclass

from stoker.core.fit.gpu import UnknownGpuError, gpu_named


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one device."""

    gigabytes_per_second: int
    teraflops: int


_SPEEDS = {
    "NVIDIA-L4": Speed(300, 121),
    "NVIDIA-A10G": Speed(600, 70),
    "NVIDIA-A10": Speed(600, 125),
    "NVIDIA-A30": Speed(933, 165),
    "NVIDIA-L40S": Speed(864, 362),
    "NVIDIA-L40": Speed(864, 181),
    "NVIDIA-A40": Speed(696, 150),
    "NVIDIA-A100-SXM4-40GB": Speed(1555, 312),
    "NVIDIA-A100-PCIE-40GB": Speed(1555, 312),
    "NVIDIA-A100-SXM4-80GB": Speed(2039, 312),
    "NVIDIA-A100-80GB-PCIe": Speed(1935, 312),
    "NVIDIA-A800-SXM4-80GB": Speed(2039, 312),
    "NVIDIA-A800-80GB-PCIe": Speed(1935, 312),
    "NVIDIA-H100-80GB-HBM3": Speed(3350, 989),
    "NVIDIA-H100-PCIe": Speed(2000, 756),
    "NVIDIA-H100-NVL": Speed(3900, 835),
    "NVIDIA-H800": Speed(3350, 989),
    "NVIDIA-H20": Speed(4000, 148),
    "NVIDIA-H200": Speed(4800, 989),
    "NVIDIA-H200-NVL": Speed(4800, 835),
    "NVIDIA-GH200-480GB": Speed(4000, 989),
    "NVIDIA-GH200-144G-HBM3e": Speed(4900, 989),
    "NVIDIA-B200": Speed(8000, 2250),
    "NVIDIA-GB200": Speed(8000, 2500),
    "NVIDIA-RTX-6000-Ada-Generation": Speed(960, 364),
    "NVIDIA-RTX-A6000": Speed(768, 155),
    "NVIDIA-GeForce-RTX-4090": Speed(1008, 165),
    "NVIDIA-GeForce-RTX-3090": Speed(936, 71),
    "Tesla-T4": Speed(320, 65),
    "Tesla-V100-SXM2-16GB": Speed(900, 125),
    "Tesla-V100-SXM2-32GB": Speed(900, 125),
    "AMD_Instinct_MI210": Speed(1638, 181),
    "AMD_Instinct_MI300X_OAM": Speed(5300, 1307),
    "AMD_Instinct_MI325X_OAM": Speed(6000, 1307),
}


def speed_of(product: str) -> Speed | None:
    """By the node's label or a short name. A slice has a part of its GPU's speed, which nobody publishes."""
    known = _SPEEDS.get(product)
    if known is not None:
        return known
    try:
        return _SPEEDS.get(gpu_named(product).name)
    except UnknownGpuError:
        return None
