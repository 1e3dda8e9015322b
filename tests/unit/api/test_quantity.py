"""Kubernetes quantities."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.api.values.quantity import Quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("4", 4),
        ("500m", Fraction(1, 2)),
        ("1.5", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("32Gi", 32 * 2**30),
        ("32G", 32 * 10**9),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("128974848000m", 128974848),
        ("100n", Fraction(1, 10**7)),
    ],
)
def test_a_quantity_is_exact(text: str, amount: Fraction | int) -> None:
    assert Quantity.parse(text).amount == amount


@pytest.mark.parametrize("text", ["", "32 Gi", "32GB", "Gi", "-1", "1e", "0x10", "½", "1,5", "1Gi ", "1\n"])
def test_what_is_no_quantity_is_refused_with_a_way_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"write"):
        Quantity.parse(text)


def test_two_spellings_of_one_amount_are_equal_and_each_is_written_back_as_it_was() -> None:
    gibibyte, mebibytes = Quantity.parse("1Gi"), Quantity.parse("1024Mi")
    assert gibibyte == mebibytes
    assert hash(gibibyte) == hash(mebibytes)
    assert (str(gibibyte), str(mebibytes)) == ("1Gi", "1024Mi")


@given(st.integers(0, 10**12), st.sampled_from(["", "m", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti"]))
def test_whole_units_never_promise_less_than_was_asked(number: int, suffix: str) -> None:
    quantity = Quantity.parse(f"{number}{suffix}")
    assert 0 <= quantity.whole_units - quantity.amount < 1
