"""Paths that are not for clients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.agent.pipe.forbidden import is_forbidden


@pytest.mark.parametrize(
    "target",
    [
        b"/sleep",
        b"/sleep?level=2",
        b"/sleep/",
        b"//sleep",
        b"/./sleep",
        b"/v1/../sleep",
        b"/../sleep",
        b"/a/b/../../sleep",
        b"/%73leep",
        b"/%2573leep",
        b"/%2e%2e/sleep",
        b"/v1%2f..%2fsleep",
        b"/\\sleep",
        b"/sleep%00.txt",
        b"/sleep;a=b",
        b"/sleep%20",
        b"/SLEEP",
        b"/wake_up",
        b"/is_sleeping",
        b"/collective_rpc",
        b"/reset_prefix_cache",
        b"/pause",
        b"/resume",
        b"/start_profile",
        b"/stop_profile",
        b"/v1/load_lora_adapter",
        b"/v1/unload_lora_adapter",
        b"/load_lora_adapter",
        b"/shutdown",
        b"/slots",
        b"/props",
        b"/api/pull",
        b"/api/delete?x=1",
        b"/v1/model/load",
        b"/v1/download",
        b"/models/unload",
    ],
)
def test_the_verbs_of_the_operator_are_not_reached_from_outside(target: bytes) -> None:
    assert is_forbidden(target)


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"*",
        b"/v1/chat/completions",
        b"/v1/models/sleep",
        b"/v1/models?a=/sleep",
        b"/sleepy",
        b"/a/sleep",
        b"/v1",
        b"/api/chat",
        b"/v1/models",
    ],
)
def test_what_is_only_named_alike_is_served(target: bytes) -> None:
    assert not is_forbidden(target)


@given(name=st.sampled_from([b"sleep", b"shutdown", b"collective_rpc"]), escaped=st.lists(st.booleans(), max_size=14))
def test_escapes_hide_nothing(name: bytes, escaped: list[bool]) -> None:
    hidden = [
        b"%%%02x" % name[at] if at < len(escaped) and escaped[at] else name[at : at + 1] for at in range(len(name))
    ]
    assert is_forbidden(b"/" + b"".join(hidden))
