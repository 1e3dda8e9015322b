"""Random specs, built from the declared fields, so that a new field is covered on the day it is declared."""

import copy
from typing import Any

from hypothesis import strategies as st

from stoker.api.declaration import ApiModel
from stoker.api.fields import DeclaredField, Shape, fields_of
from stoker.api.parsing import InvalidManifest, parse_file
from stoker.api.v1alpha1.modeldeployment import Spec
from tests.manifests import manifest

_SHA256 = 64 * "b"
# Texts with a grammar, beside the examples that their fields are documented with.
_TEXTS: dict[str, list[str]] = {
    "source": [
        "hf://gpt2",
        "hf://a/b@refs/pr/1",
        "s3://bucket/some/prefix@v1",
        "gs://bucket",
        "az://account1/container/prefix",
        f"oci://registry.example.com:5000/a/b:v1@sha256:{_SHA256}",
        f"https://models.example.com/a.gguf?x=y#sha256={_SHA256}",
        "pvc://claim/some/folder",
        "ollama://library/qwen:7b",
    ],
    "image": ["vllm", "localhost:5000/a/b:c", f"registry.example.com/a:v1@sha256:{_SHA256}"],
    "cron": ["* * * * *", "*/5 0-6 1,15 JAN-MAR 7", "59 23 31 12 0"],
    "timeZone": ["UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"],
    "size": ["1Gi", "1.5Ti", "100G", "1e12"],
}
_QUANTITIES = st.sampled_from(["4", "500m", "1.5", "32Gi", "1e3", "100k", "0", "+1", ".5"])
_JSON = st.dictionaries(
    st.sampled_from(["priorityClassName", "nodeSelector", "containers", "tolerations"]),
    st.recursive(
        st.one_of(st.booleans(), st.integers(0, 9), st.text("abc", max_size=3)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(st.text("xyz", min_size=1), inner, max_size=2)
        ),
        max_leaves=5,
    ),
    max_size=3,
)


def _field(field: DeclaredField) -> st.SearchStrategy[Any]:
    if field.alias in _TEXTS:
        texts = [*_TEXTS[field.alias], *field.examples]
        return st.sampled_from(texts)
    if field.shape.kind == "text" and not field.shape.choices:
        return st.sampled_from(list(field.examples))
    if field.shape.kind == "list" and field.shape.item and field.shape.item.kind == "text":
        if field.shape.item.choices:
            return st.lists(st.sampled_from(field.shape.item.choices), unique=True, max_size=3)
        return st.lists(st.sampled_from([text for example in field.examples for text in example]), unique=True)
    return _shape(field.shape)


def _shape(shape: Shape) -> st.SearchStrategy[Any]:
    if shape.model:
        return _object(shape.model)
    if shape.choices:
        return st.sampled_from(shape.choices)
    if shape.kind == "integer":
        # Small numbers are what people write and what the rules between fields are about.
        low, high = shape.at_least or 0, shape.at_most or 2**31
        return st.one_of(st.integers(low, min(high, low + 8)), st.integers(low, high))
    if shape.kind == "list" and shape.item:
        return st.lists(_shape(shape.item), max_size=2, unique_by=repr)
    if shape.kind == "map" and shape.item:
        return st.dictionaries(st.sampled_from(["cpu", "memory", "example.com/x"]), _shape(shape.item), max_size=2)
    kinds = {"boolean": st.booleans(), "quantity": _QUANTITIES, "json": _JSON}
    return kinds.get(shape.kind, st.sampled_from(["a", "b-c", "d.e"]))


def _object(model: type[ApiModel]) -> st.SearchStrategy[dict[str, Any]]:
    fields = fields_of(model)
    required = {field.alias: _field(field) for field in fields if field.required}
    if model.exactly_one_of:
        return st.one_of([st.fixed_dictionaries({field.alias: _field(field)}) for field in fields])
    return st.fixed_dictionaries(required, optional={f.alias: _field(f) for f in fields if not f.required})


def _mended(spec: dict[str, Any]) -> dict[str, Any]:
    """Makes it likely that the rules between fields hold; what still breaks one is filtered out."""
    scaling, engine = spec["scaling"], spec.get("engine", {})
    most = scaling["maxReplicas"]
    spec["replicas"] = min(spec.get("replicas", 1), most)
    for name in ("warmReplicas", "asleepReplicas"):
        if name in scaling:
            scaling[name] = min(scaling[name], most // 2)
    for entry in scaling.get("schedule", []):
        entry["replicas"] = min(entry["replicas"], most)
    if "targetRef" in scaling:
        scaling["mode"] = "Observe"
    if engine.get("name") == "custom":
        engine.setdefault("image", "a:b")
    else:
        engine.pop("custom", None)
    if engine.get("name", "vllm") not in ("vllm", "sglang"):
        engine.pop("tensorParallel", None)
        engine.pop("pipelineParallel", None)
    ranks = engine.get("tensorParallel", 1) * engine.get("pipelineParallel", 1)
    if ranks <= 64:
        spec.setdefault("accelerator", {})["count"] = ranks
    return spec


def _accepted(spec: dict[str, Any]) -> bool:
    try:
        parse_file(manifest({"spec": spec}))
    except InvalidManifest:
        return False
    return True


def specs() -> st.SearchStrategy[dict[str, Any]]:
    """Specs that are valid."""
    return _object(Spec).map(_mended).filter(_accepted)


_STRAY: tuple[Any, ...] = (
    "",
    " ",
    "x",
    "a b",
    "-1",
    "1Gi",
    "hf://",
    "A_B",
    -1,
    0,
    1,
    7,
    65,
    10**6,
    2**40,
    1.5,
    True,
    [],
    ["--port"],
    ["a", "a"],
    {},
    {"x": 1},
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    # What stands in the template is free.
    inner = [found for key, item in below if path != ("template", "spec") for found in _paths(item, (*path, key))]
    return [path, *inner] if path else inner


@st.composite
def broken_specs(draw: st.DrawFn) -> dict[str, Any]:
    """Specs in which a few values were replaced at random: most are wrong, some are right all the same."""
    spec = copy.deepcopy(draw(_object(Spec)))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(_paths(spec)))
        inner: Any = spec
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = draw(st.sampled_from(_STRAY))
    return spec
