"""GPU products: how much memory each has, and what a node calls it.

Memory is what the driver reports as the total (nvidia-smi, and the node label nvidia.com/gpu.memory), which is below
the number on the box where memory is set aside for error correction or the driver.
"""

from dataclasses import dataclass
from enum import StrEnum

MIB = 1 << 20


class Vendor(StrEnum):
    NVIDIA = "nvidia"
    AMD = "amd"
    INTEL = "intel"


@dataclass(frozen=True)
class Product:
    """One product. NVIDIA's and AMD's names are those of the node labels."""

    label: str
    memory_mib: int
    sold_as_gb: int
    vendor: Vendor = Vendor.NVIDIA
    also: tuple[str, ...] = ()  # more words that people use for it
    plain: str = ""  # the short name that means this one of a family
    common: bool = False  # one that a comparison shows, and a remedy names first

    @property
    def memory_bytes(self) -> int:
        return self.memory_mib * MIB


_NVIDIA = (
    Product("NVIDIA-L4", 23_034, 24, common=True),
    Product("NVIDIA-A10G", 23_028, 24, common=True),
    Product("NVIDIA-A10", 23_028, 24),
    Product("NVIDIA-A30", 24_576, 24),
    Product("NVIDIA-L40S", 46_068, 48, common=True),
    Product("NVIDIA-L40", 46_068, 48),
    Product("NVIDIA-L20", 46_068, 48),
    Product("NVIDIA-A40", 46_068, 48),
    Product("NVIDIA-A2", 15_356, 16),
    Product("NVIDIA-A16", 15_356, 16),
    Product("NVIDIA-A100-SXM4-40GB", 40_960, 40, also=("sxm",), common=True),
    Product("NVIDIA-A100-PCIE-40GB", 40_960, 40),
    Product("NVIDIA-A100-SXM4-80GB", 81_920, 80, also=("sxm",), common=True),
    Product("NVIDIA-A100-80GB-PCIe", 81_920, 80),
    Product("NVIDIA-A800-SXM4-80GB", 81_920, 80, also=("sxm",)),
    Product("NVIDIA-A800-80GB-PCIe", 81_920, 80),
    Product("NVIDIA-H100-80GB-HBM3", 81_559, 80, also=("sxm", "sxm5"), plain="h100", common=True),
    Product("NVIDIA-H100-PCIe", 81_559, 80),
    Product("NVIDIA-H100-NVL", 95_830, 94),
    Product("NVIDIA-H800", 81_559, 80),
    Product("NVIDIA-H20", 97_871, 96),
    Product("NVIDIA-H200", 143_771, 141, also=("sxm", "sxm5"), common=True),
    Product("NVIDIA-H200-NVL", 143_771, 141),
    Product("NVIDIA-GH200-480GB", 97_871, 96),  # 480 GB is the processor's memory
    Product("NVIDIA-GH200-144G-HBM3e", 146_831, 144, also=("144gb",)),
    Product("NVIDIA-B200", 183_359, 180, also=("192gb",), common=True),
    Product("NVIDIA-B300-SXM6-AC", 275_040, 288, also=("sxm",)),
    Product("NVIDIA-GB200", 189_471, 186, also=("192gb",)),
    Product("NVIDIA-GB300", 284_208, 288),
    Product("NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition", 97_887, 96),
    Product("NVIDIA-RTX-PRO-6000-Blackwell-Workstation-Edition", 97_887, 96),
    Product("NVIDIA-RTX-PRO-5000-Blackwell", 48_935, 48),
    Product("NVIDIA-RTX-6000-Ada-Generation", 49_140, 48),
    Product("NVIDIA-RTX-5000-Ada-Generation", 32_760, 32),
    Product("NVIDIA-RTX-4000-Ada-Generation", 20_475, 20),
    Product("NVIDIA-RTX-A6000", 49_140, 48),
    Product("NVIDIA-RTX-A5000", 24_564, 24),
    Product("NVIDIA-RTX-A4000", 16_376, 16),
    Product("NVIDIA-GeForce-RTX-5090", 32_607, 32),
    Product("NVIDIA-GeForce-RTX-5080", 16_303, 16),
    Product("NVIDIA-GeForce-RTX-4090", 24_564, 24),
    Product("NVIDIA-GeForce-RTX-4080", 16_376, 16),
    Product("NVIDIA-GeForce-RTX-3090", 24_576, 24),
    Product("NVIDIA-GeForce-RTX-3090-Ti", 24_564, 24),
    Product("Tesla-T4", 15_360, 16, common=True),
    Product("Tesla-V100-SXM2-16GB", 16_384, 16, also=("sxm",)),
    Product("Tesla-V100-PCIE-16GB", 16_384, 16),
    Product("Tesla-V100-SXM2-32GB", 32_768, 32, also=("sxm",)),
    Product("Tesla-V100-PCIE-32GB", 32_768, 32),
    Product("Tesla-P100-PCIE-16GB", 16_384, 16),
    Product("Tesla-P100-SXM2-16GB", 16_384, 16, also=("sxm",)),
    Product("Tesla-P40", 22_919, 24),
    Product("Tesla-P4", 7_611, 8),
    Product("Quadro-RTX-8000", 46_080, 48),
    Product("Quadro-RTX-6000", 23_040, 24),
)
_AMD = (
    Product("AMD_Instinct_MI210", 65_520, 64, Vendor.AMD),
    Product("AMD_Instinct_MI250", 65_520, 128, Vendor.AMD),  # two devices a card, this much each
    Product("AMD_Instinct_MI250X", 65_520, 128, Vendor.AMD),
    Product("AMD_Instinct_MI300A", 131_072, 128, Vendor.AMD),
    Product("AMD_Instinct_MI300X_OAM", 196_592, 192, Vendor.AMD, common=True),
    Product("AMD_Instinct_MI325X_OAM", 262_128, 256, Vendor.AMD),
    Product("AMD_Instinct_MI350X_OAM", 294_896, 288, Vendor.AMD),
    Product("AMD_Instinct_MI355X_OAM", 294_896, 288, Vendor.AMD),
)
_INTEL = (
    Product("Intel-Gaudi-2", 98_304, 96, Vendor.INTEL, also=("gaudi2", "hl", "225")),
    Product("Intel-Gaudi-3", 131_072, 128, Vendor.INTEL, also=("gaudi3", "hl", "325")),
    Product("Intel-Data-Center-GPU-Max-1550", 65_536, 128, Vendor.INTEL),  # two devices a card, this much each
)
PRODUCTS: tuple[Product, ...] = (*_NVIDIA, *_AMD, *_INTEL)
