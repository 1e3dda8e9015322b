"""GPU products and slices, and the names by which people and nodes call them."""

import re

import pytest

from stoker.core.fit.catalogue import MIB, PRODUCTS, Product, Vendor
from stoker.core.fit.gpu import UnknownGpuError, gpu_named, gpu_of_node
from stoker.core.fit.slices import SLICES, Slice


def test_there_are_forty_products_and_more_each_once() -> None:
    assert len(PRODUCTS) >= 40
    assert len({product.label.lower() for product in PRODUCTS}) == len(PRODUCTS)


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.label)
def test_labels_are_spelled_as_nodes_spell_them_and_name_themselves(product: Product) -> None:
    assert re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", product.label)
    if product.vendor is Vendor.NVIDIA:
        assert product.label.startswith(("NVIDIA-", "Tesla-", "Quadro-"))
    assert gpu_named(product.label).memory_bytes == product.memory_bytes
    assert gpu_named(product.label.lower()).name == product.label


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.label)
def test_memory_is_near_what_the_product_is_sold_as(product: Product) -> None:
    devices = 2 if product.sold_as_gb == 128 and product.memory_mib < 70_000 else 1
    assert 0.88 <= product.memory_mib / 1024 / (product.sold_as_gb / devices) <= 1.03


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("h100", "NVIDIA-H100-80GB-HBM3"),
        ("H100-80GB", "NVIDIA-H100-80GB-HBM3"),
        ("h100-nvl", "NVIDIA-H100-NVL"),
        ("l4", "NVIDIA-L4"),
        ("L40S", "NVIDIA-L40S"),
        ("a100-80", "NVIDIA-A100-SXM4-80GB"),
        ("A100 40GB", "NVIDIA-A100-SXM4-40GB"),
        ("a100-pcie-40gb", "NVIDIA-A100-PCIE-40GB"),
        ("h200", "NVIDIA-H200"),
        ("b200", "NVIDIA-B200"),
        ("gb200", "NVIDIA-GB200"),
        ("rtx4090", "NVIDIA-GeForce-RTX-4090"),
        ("RTX 6000 Ada", "NVIDIA-RTX-6000-Ada-Generation"),
        ("a6000", "NVIDIA-RTX-A6000"),
        ("v100-32gb", "Tesla-V100-SXM2-32GB"),
        ("t4", "Tesla-T4"),
        ("mi300x", "AMD_Instinct_MI300X_OAM"),
        ("gaudi2", "Intel-Gaudi-2"),
    ],
)
def test_short_names_are_understood(typed: str, label: str) -> None:
    assert gpu_named(typed).name == label


@pytest.mark.parametrize(
    ("typed", "choices"),
    [
        ("a100", ("NVIDIA-A100-SXM4-40GB", "NVIDIA-A100-SXM4-80GB")),
        ("v100", ("Tesla-V100-SXM2-16GB", "Tesla-V100-SXM2-32GB")),
        ("gh200", ("NVIDIA-GH200-480GB", "NVIDIA-GH200-144G-HBM3e")),
        ("rtx", ("NVIDIA-GeForce-RTX-4090",)),
    ],
)
def test_a_name_of_several_products_of_different_memory_is_refused_with_the_choices(
    typed: str, choices: tuple[str, ...]
) -> None:
    with pytest.raises(UnknownGpuError) as refused:
        gpu_named(typed)
    assert all(choice in str(refused.value) for choice in choices)


@pytest.mark.parametrize("typed", ["", "nvidia", "h999", "l4-80gb"])
def test_a_name_of_no_product_is_refused_with_a_hint(typed: str) -> None:
    with pytest.raises(UnknownGpuError, match="is not in the catalogue: write"):
        gpu_named(typed)


@pytest.mark.parametrize("item", SLICES, ids=lambda item: f"{item.family}-{item.sold_as_gb}-{item.profile}")
def test_a_slice_is_no_larger_than_its_name_says(item: Slice) -> None:
    said_gb = int(item.profile.partition(".")[2].removesuffix("gb"))
    assert 0.75 * said_gb <= item.memory_mib / 1024 <= said_gb
    assert gpu_named(item.resource).memory_bytes is not None


def test_a_slice_of_a_named_product_is_its_own() -> None:
    gpu = gpu_named("A100-80GB-MIG-3g.40gb")
    assert (gpu.name, gpu.memory_bytes) == ("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb", 40_192 * MIB)
    assert gpu_named("NVIDIA-H100-80GB-HBM3-MIG-1g.10gb").memory_bytes == 9984 * MIB


def test_a_slice_by_its_resource_is_the_smallest_of_that_name() -> None:
    assert gpu_named("nvidia.com/mig-3g.40gb").memory_bytes == 40_192 * MIB


def test_a_slice_that_the_product_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownGpuError, match=r"NVIDIA-L4 has no slice 3g\.40gb"):
        gpu_named("l4-mig-3g.40gb")


def test_a_node_is_believed_about_its_memory() -> None:
    gpu = gpu_of_node({"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "20000"})
    assert (gpu.name, gpu.memory_bytes) == ("NVIDIA-L4", 20_000 * MIB)


@pytest.mark.parametrize("said", ["", "0", "-1", "much", "1e9", "99999999999999999999"])
def test_a_node_that_says_nothing_usable_is_looked_up(said: str) -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-L4-SHARED", "nvidia.com/gpu.memory": said}
    assert gpu_of_node(labels).memory_bytes == 23_034 * MIB


@pytest.mark.parametrize("labels", [{}, {"nvidia.com/gpu.product": "NVIDIA-Z9"}, {"nvidia.com/gpu.product": "A100"}])
def test_a_node_of_an_unknown_product_has_unknown_memory(labels: dict[str, str]) -> None:
    assert gpu_of_node(labels).memory_bytes is None


def test_a_node_with_slices_is_asked_for_the_slice() -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}
    resource = "nvidia.com/mig-3g.40gb"
    assert gpu_of_node(labels, resource).memory_bytes == int(39.5 * 1024) * MIB
    assert gpu_of_node({**labels, f"{resource}.memory": "40448"}, resource).memory_bytes == 40_448 * MIB
    assert gpu_of_node({}, "nvidia.com/mig-9g.1gb").memory_bytes is None
