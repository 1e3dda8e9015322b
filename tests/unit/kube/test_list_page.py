"""A page of a LIST is decoded object by object, and comes out as if it had been decoded whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.kube.list_page import take_items

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
ITEMS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=4)
METADATA = st.fixed_dictionaries({"resourceVersion": st.text(min_size=1), "continue": st.text()})


@given(ITEMS, METADATA, st.booleans(), st.sampled_from([None, 2]))
def test_whatever_its_objects_hold_and_wherever_its_metadata_stands(
    items: list[dict[str, Any]],
    metadata: dict[str, Any],
    metadata_first: bool,
    indent: int | None,
) -> None:
    parts = [("metadata", metadata), ("items", items)]
    page = {"kind": "PodList", **dict(parts if metadata_first else reversed(parts))}
    taken: list[Any] = []
    rest = take_items(json.dumps(page, indent=indent, ensure_ascii=False).encode(), taken.append)
    assert taken == items
    assert rest == page | {"items": []}


@pytest.mark.parametrize("items", ["null", "[]", "[ ]"])
def test_a_page_without_objects(items: str) -> None:
    taken: list[Any] = []
    rest = take_items(b'{"metadata":{"resourceVersion":"7"},"items":' + items.encode() + b"}", taken.append)
    assert (taken, rest["metadata"]["resourceVersion"]) == ([], "7")


WHOLE = b'{"metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b":"]}"}]}\n'


@pytest.mark.parametrize("length", range(len(WHOLE) - 1))
def test_a_page_that_was_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        take_items(WHOLE[:length], lambda _: None)


@pytest.mark.parametrize("page", [b"[1]", b"<html>", b'{"items":[1]}', b'{"items":[{} {}]}', b"\xff"])
def test_what_is_no_page_is_refused(page: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        take_items(page, lambda _: None)
