"""A patch over a pod template changes what it names, keeps the rest, and is refused where it cannot be meant."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.plan.strategic_merge import InvalidPatch, changed_paths, merged

Json = dict[str, Any]


def spec(**fields: Any) -> Json:
    return {"spec": fields}


def server(**fields: Any) -> Json:
    return spec(containers=[{"name": "server", **fields}])


SERVER = server(
    image="engine:1",
    args=["--port", "8000"],
    env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    ports=[{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}],
)


def env_after(*entries: Json, **directives: Any) -> list[str]:
    """The names of the server's variables, in their order."""
    patched = merged(SERVER, server(env=list(entries), **directives))
    return [entry["name"] for entry in patched["spec"]["containers"][0]["env"]]


def test_objects_are_merged_and_values_replaced() -> None:
    template = spec(hostNetwork=False, nodeSelector={"zone": "a", "disk": "ssd"})
    assert merged(template, spec(hostNetwork=True, nodeSelector={"zone": "b", "gpu": "yes"})) == spec(
        hostNetwork=True, nodeSelector={"zone": "b", "disk": "ssd", "gpu": "yes"}
    )


def test_null_deletes() -> None:
    template = spec(priorityClassName="high", nodeSelector={"zone": "a", "disk": "ssd"})
    assert merged(template, spec(priorityClassName=None, nodeSelector={"zone": None}, hostname=None)) == spec(
        nodeSelector={"disk": "ssd"}
    )


def test_what_is_new_has_no_nulls() -> None:
    patch = spec(securityContext={"runAsUser": 1, "fsGroup": None}, tolerations=[{"key": "gpu", "value": None}])
    assert merged({}, patch) == spec(securityContext={"runAsUser": 1}, tolerations=[{"key": "gpu"}])


def test_a_list_without_a_merge_key_is_replaced() -> None:
    patched = merged(SERVER, server(args=["--help"]))
    assert patched["spec"]["containers"][0]["args"] == ["--help"]


def test_an_entry_is_found_by_its_key_and_merged() -> None:
    patched = merged(SERVER, server(env=[{"name": "B", "value": "3"}]))
    assert patched["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]
    assert patched["spec"]["containers"][0]["image"] == "engine:1"


def test_a_new_entry_comes_first() -> None:
    assert env_after({"name": "C", "value": "3"}) == ["C", "A", "B"]


def test_entries_follow_the_order_of_the_patch() -> None:
    assert env_after({"name": "B"}, {"name": "A"}) == ["B", "A"]
    assert env_after({"name": "B"}, {"name": "C"}) == ["A", "B", "C"]


def test_an_order_can_be_written() -> None:
    order = {"$setElementOrder/env": [{"name": "B"}, {"name": "C"}, {"name": "A"}]}
    assert env_after({"name": "C"}, **order) == ["B", "C", "A"]
    assert env_after({"name": "C"}, **{"$setElementOrder/env": []}) == env_after({"name": "C"})


def test_an_entry_can_be_deleted() -> None:
    assert env_after({"name": "A", "$patch": "delete"}, {"name": "Z", "$patch": "delete"}) == ["B"]


def test_a_list_can_be_replaced_as_a_whole() -> None:
    assert env_after({"$patch": "replace"}, {"name": "Z"}) == ["Z"]


def test_values_can_be_deleted_from_a_list() -> None:
    patched = merged(SERVER, server(**{"$deleteFromPrimitiveList/args": ["--port", "8000"]}))
    assert patched["spec"]["containers"][0]["args"] == []


def test_a_set_of_values_grows() -> None:
    template = {"metadata": {"finalizers": ["a", "b"]}}
    assert merged(template, {"metadata": {"finalizers": ["b", "c"]}}) == {"metadata": {"finalizers": ["a", "b", "c"]}}


def test_one_kind_of_volume_takes_the_place_of_another() -> None:
    template = spec(volumes=[{"name": "scratch", "emptyDir": {"medium": "Memory"}}])
    claim = {"persistentVolumeClaim": {"claimName": "disk"}}
    volume = {"name": "scratch", "$retainKeys": ["name", "persistentVolumeClaim"], **claim}
    assert merged(template, spec(volumes=[volume])) == spec(volumes=[{"name": "scratch", **claim}])


@pytest.mark.parametrize("template", [{}, spec(nodeSelector={"disk": "ssd"})], ids=["absent", "present"])
def test_an_object_is_replaced_whether_or_not_the_template_has_it(template: Json) -> None:
    assert merged(template, spec(nodeSelector={"$patch": "replace", "zone": "a"})) == spec(nodeSelector={"zone": "a"})


def test_an_object_is_emptied_and_not_made_to_be_empty() -> None:
    patch = spec(nodeSelector={"$patch": "delete"})
    assert merged(spec(nodeSelector={"zone": "a"}), patch) == spec(nodeSelector={})
    assert merged(spec(hostname="a"), patch) == spec(hostname="a")


def test_to_merge_is_what_happens_anyway() -> None:
    patched = merged(SERVER, server(**{"$patch": "merge", "image": "engine:2"}))
    assert patched == merged(SERVER, server(image="engine:2"))


def test_directives_work_in_what_is_new() -> None:
    patch = spec(
        containers=[{"name": "new", "env": [{"$patch": "replace"}, {"name": "A"}, {"name": "B", "$patch": "delete"}]}]
    )
    assert merged({}, patch) == spec(containers=[{"name": "new", "env": [{"name": "A"}]}])


def test_entries_of_one_name_stay_apart_where_the_patch_does_not_name_them() -> None:
    patched = merged(SERVER, server(ports=[{"containerPort": 80}]))
    assert [port["containerPort"] for port in patched["spec"]["containers"][0]["ports"]] == [80, 53, 53]


def test_a_claim_template_has_metadata_that_merges_too() -> None:
    def volumes(*finalizers: str) -> Json:
        claim = {"metadata": {"finalizers": list(finalizers)}}
        return spec(volumes=[{"name": "disk", "ephemeral": {"volumeClaimTemplate": claim}}])

    assert merged(volumes("a"), volumes("b")) == volumes("b", "a")


def test_a_label_called_like_a_merged_list_is_a_label() -> None:
    assert merged({}, spec(nodeSelector={"env": "prod", "ports": "few"})) == spec(
        nodeSelector={"env": "prod", "ports": "few"}
    )


REFUSED: list[tuple[Json, str]] = [
    (spec(containers=[{"image": "a"}]), "spec.containers[0]: has no name, by which entries are found: write name"),
    (server(ports=[{"name": "http"}]), "spec.containers[server].ports[0]: has no containerPort, by which"),
    (spec(volumes=[{"$patch": "delete"}]), "spec.volumes[0]: has no name"),
    (spec(volumes=[{"name": {"a": "b"}}]), "spec.volumes[0]: has no name"),
    (spec(containers=["server"]), "spec.containers[0]: 'server' stands where an object belongs: write an object"),
    (spec(containers={"name": "a"}), "spec.containers: {'name': 'a'} stands where a list belongs: write a list"),
    (spec(nodeSelector=["a"]), "spec.nodeSelector: ['a'] stands where an object belongs: write an object"),
    (spec(hostNetwork={"a": 1}), "spec.hostNetwork: {'a': 1} stands where a value belongs: write a value"),
    ({"spec": []}, "spec: [] stands where an object belongs"),
    ({"metadata": {"finalizers": [{"a": 1}]}}, "metadata.finalizers[0]: {'a': 1} stands where a value belongs"),
    (spec(**{"$patch": "remove"}), "spec.$patch: is 'remove': write merge, replace or delete"),
    (spec(nodeSelector={"$merge": []}), "spec.nodeSelector.$merge: is not a directive of strategic-merge patches"),
    (spec(tolerations=[{"$patch": "delete"}]), "spec.tolerations[0].$patch: is in a list that is replaced as a whole"),
    (server(**{"$patch": "replace"}), "spec.containers[0]: $patch: replace is about the whole list: write it as"),
    (spec(**{"$retainKeys": "a"}), "spec.$retainKeys: 'a' stands where a list belongs: write a list"),
    (spec(**{"$retainKeys": ["a"], "b": 1}), "spec.b: is set but missing in $retainKeys: add it there or remove it"),
    (spec(**{"$setElementOrder/tolerations": []}), "spec.$setElementOrder/tolerations: is for lists that are merged"),
    (spec(**{"$setElementOrder/volumes": [{}]}), "spec.$setElementOrder/volumes[0]: has no name"),
    (
        spec(**{"$setElementOrder/volumes": [{"name": "a"}], "volumes": [{"name": "b"}]}),
        "spec.$setElementOrder/volumes: does not have ['b'] as the patch itself has it: use one order",
    ),
    (spec(**{"$deleteFromPrimitiveList/volumes": ["a"]}), "spec.$deleteFromPrimitiveList/volumes: is for plain values"),
]


@pytest.mark.parametrize(("patch", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_wrong_patch_is_refused(patch: Json, message: str) -> None:
    template = merged(SERVER, spec(nodeSelector={"zone": "a"}, hostNetwork=False))
    with pytest.raises(InvalidPatch) as refused:
        merged(template, patch)
    assert str(refused.value).startswith(message)


def test_what_is_wrong_is_found_without_a_template() -> None:
    with pytest.raises(InvalidPatch, match="has no name"):
        changed_paths(server(env=[{"value": "a"}]))


PATHS: list[tuple[Json, tuple[str, ...]]] = [
    ({}, ()),
    (spec(hostNetwork=True, nodeSelector={"zone": "a"}), ("spec.hostNetwork", "spec.nodeSelector.zone")),
    ({"metadata": {"labels": {"a.b/c": "d"}}}, ("metadata.labels.a.b/c",)),
    (server(env=[{"name": "FOO", "value": "a"}]), ("spec.containers[server].env[FOO].value",)),
    (server(env=[{"name": "FOO", "$patch": "delete"}]), ("spec.containers[server].env[FOO]",)),
    (server(), ("spec.containers[server]",)),
    (server(**{"$patch": "delete"}), ("spec.containers[server]",)),
    (server(ports=[{"containerPort": 80, "name": "a"}]), ("spec.containers[server].ports[80].name",)),
    (server(args=["a"]), ("spec.containers[server].args",)),
    (server(**{"$deleteFromPrimitiveList/args": ["a"]}), ("spec.containers[server].args",)),
    (spec(tolerations=[{"key": "a"}]), ("spec.tolerations",)),
    (spec(nodeSelector=None), ("spec.nodeSelector",)),
    (spec(nodeSelector={}), ("spec.nodeSelector",)),
    (spec(volumes=[{"name": "a", "emptyDir": {"$patch": "merge"}}]), ("spec.volumes[a].emptyDir",)),
    (spec(nodeSelector={"$patch": "replace", "a": "b"}), ("spec.nodeSelector", "spec.nodeSelector.a")),
    (spec(volumes=[{"$patch": "replace"}, {"name": "a"}]), ("spec.volumes", "spec.volumes[a]")),
    (spec(volumes=[{"name": "a", "$retainKeys": ["name"]}]), ("spec.volumes[a]",)),
    (spec(nodeSelector={"$retainKeys": ["a"], "a": "b"}), ("spec.nodeSelector", "spec.nodeSelector.a")),
    (spec(**{"$setElementOrder/initContainers": [{"name": "a"}]}), ("spec.initContainers",)),
    (spec(volumes=[]), ("spec.volumes",)),
    ({"metadata": {"finalizers": ["a"]}}, ("metadata.finalizers",)),
    ({"$patch": "replace"}, ("metadata", "spec")),
    (spec(**{"$patch": "delete"}), ("spec",)),
    (spec(volumes=[{"name": "a].b[c"}]), ("spec.volumes[a%5D.b%5Bc]",)),
]


@pytest.mark.parametrize(("patch", "paths"), PATHS, ids=[str(patch) for patch, _ in PATHS])
def test_the_paths_that_a_patch_touches(patch: Json, paths: tuple[str, ...]) -> None:
    assert changed_paths(patch) == paths


# Few names, so that patches meet what the template has.
TEXTS = st.sampled_from(["x", "y", "z"])


def entries(key: str, names: list[Any], fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[list[Json]]:
    entry = st.fixed_dictionaries({key: st.sampled_from(names)}, optional=dict(fields))
    return st.lists(entry, unique_by=lambda found: str(found[key]), max_size=len(names))


def pods(null: st.SearchStrategy[None] | None = None) -> st.SearchStrategy[Json]:
    """Pod templates, or with `null` patches over them."""

    def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return strategy if null is None else strategy | null

    labels = st.dictionaries(st.sampled_from(["a", "b", "c"]), maybe(TEXTS), max_size=3)
    container = {
        "image": maybe(TEXTS),
        "args": maybe(st.lists(TEXTS, max_size=3)),
        "env": maybe(entries("name", ["A", "B", "C"], {"value": maybe(TEXTS)})),
        "ports": maybe(entries("containerPort", [80, 81], {"name": maybe(TEXTS)})),
        "volumeMounts": maybe(entries("mountPath", ["/a", "/b"], {"name": maybe(TEXTS), "readOnly": st.booleans()})),
        "resources": maybe(st.fixed_dictionaries({}, optional={"limits": maybe(labels), "requests": maybe(labels)})),
    }
    volume = {"emptyDir": st.just({}) | st.just({"medium": "Memory"}), "configMap": maybe(st.just({"name": "c"}))}
    fields = {
        "hostNetwork": maybe(st.booleans()),
        "nodeSelector": maybe(labels),
        "tolerations": maybe(st.lists(st.fixed_dictionaries({"key": TEXTS}, optional={"value": TEXTS}), max_size=2)),
        "imagePullSecrets": maybe(entries("name", ["s", "t"], {})),
        "hostAliases": maybe(entries("ip", ["::1", "127.0.0.1"], {"hostnames": st.lists(TEXTS, max_size=2)})),
        "topologySpreadConstraints": maybe(entries("topologyKey", ["zone", "host"], {"maxSkew": st.integers(1, 2)})),
        "initContainers": maybe(entries("name", ["first", "second"], container)),
        "volumes": maybe(entries("name", ["v", "w"], volume)),
    }
    metadata = {
        "labels": maybe(labels),
        "finalizers": maybe(st.lists(TEXTS, unique=True, max_size=3)),
        "ownerReferences": maybe(entries("uid", ["1", "2"], {"name": maybe(TEXTS)})),
    }
    containers = entries("name", ["server", "sidecar", "other"], container)
    return st.fixed_dictionaries(
        {
            "metadata": st.fixed_dictionaries({}, optional=metadata),
            "spec": st.fixed_dictionaries({"containers": containers}, optional=fields),
        }
    )


TEMPLATES = pods()
PATCHES = pods(st.none())


@given(TEMPLATES)
def test_an_empty_patch_changes_nothing(template: Json) -> None:
    assert merged(template, {}) == template


@given(TEMPLATES, PATCHES)
def test_a_second_time_changes_nothing(template: Json, patch: Json) -> None:
    once = merged(template, patch)
    assert merged(once, patch) == once


@given(TEMPLATES, PATCHES)
def test_template_and_patch_stay_as_they_are(template: Json, patch: Json) -> None:
    before = deepcopy((template, patch))
    result = merged(template, patch)
    assert (template, patch) == before
    overwrite(result)
    assert (template, patch) == before


@given(TEMPLATES, PATCHES)
def test_nothing_else_changes_than_the_paths_say(template: Json, patch: Json) -> None:
    """A place of the template that no path covers is in the result as it was."""
    touched = changed_paths(patch)
    kept = [place for place in leaves(template) if not any(place[0].startswith(path) for path in touched)]
    result = leaves(merged(template, patch))
    assert [place for place in kept if place not in result] == []


def overwrite(value: Any) -> None:
    """Spoils every list and object below."""
    for item in list(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
        overwrite(item)
    if isinstance(value, dict | list):
        value.clear()


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """The plain values below, each with its path; entries go by their name."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}" if path else key)]
    if isinstance(value, list):
        keys = ("containerPort", "mountPath", "uid", "ip", "topologyKey", "name")
        names = [next((item[key] for key in keys if isinstance(item, dict) and key in item), "") for item in value]
        return [leaf for name, item in zip(names, value, strict=True) for leaf in leaves(item, f"{path}[{name}]")]
    return [(path, value)]
