"""Image references, cron expressions and mappings that cannot change."""

import pytest

from stoker.api.values.cron import CronSchedule
from stoker.api.values.frozen import FrozenDict
from stoker.api.values.image import ImageReference

_DIGEST = "sha256:" + 64 * "0"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("vllm", ("vllm", None, None)),
        ("vllm/vllm-openai:v0.31.0", ("vllm/vllm-openai", "v0.31.0", None)),
        (f"localhost:5000/a/b@{_DIGEST}", ("localhost:5000/a/b", None, _DIGEST)),
        (f"r.example.com/a:1@{_DIGEST}", ("r.example.com/a", "1", _DIGEST)),
    ],
)
def test_an_image_is_read_into_name_tag_and_digest(text: str, parts: tuple[str, str | None, str | None]) -> None:
    image = ImageReference.parse(text)
    assert (image.name, image.tag, image.digest) == parts
    assert str(image) == text


@pytest.mark.parametrize("text", ["", "A", "a b", "a:", "a@sha256:00", "a@md5:0", "a:b:c", "/a", "a/"])
def test_what_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        ImageReference.parse(text)


@pytest.mark.parametrize(
    ("name", "mirrored"),
    [
        ("ghcr.io/ggml-org/llama.cpp:b1", "r.example.com/m/ggml-org/llama.cpp:b1"),
        ("localhost/tiny:1", "r.example.com/m/tiny:1"),
        ("r.other:5000/a/b@sha256:" + 64 * "0", "r.example.com/m/a/b@sha256:" + 64 * "0"),
        ("vllm/vllm-openai:v1", "r.example.com/m/vllm/vllm-openai:v1"),
    ],
)
def test_a_mirror_s_prefix_stands_in_for_the_registry_and_nothing_else(name: str, mirrored: str) -> None:
    assert str(ImageReference.parse(name).below("r.example.com/m")) == mirrored


@pytest.mark.parametrize("text", ["* * * * *", "*/5 0-6 1,15 JAN-MAR MON-FRI", "59 23 31 12 7", "0 8 * * 1-5"])
def test_a_cron_expression_has_five_fields(text: str) -> None:
    assert str(CronSchedule.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["@daily", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *"]
)
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write five fields"):
        CronSchedule.parse(text)


def test_a_frozen_mapping_is_a_mapping_that_can_be_hashed_and_not_changed() -> None:
    frozen = FrozenDict({"a": 1, "b": 2})
    assert frozen == {"b": 2, "a": 1}
    assert hash(frozen) == hash(FrozenDict({"b": 2, "a": 1}))
    assert not hasattr(frozen, "__setitem__")
