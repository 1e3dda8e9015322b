"""Patches of pod templates do what `kubectl patch --type strategic` does with them."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e.cluster.assets import kubebuilder_assets
from stoker.core.plan.strategic_merge import POD_TEMPLATE, Fields, InvalidPatch, MergeList, merged
from tests.integration.api_server import ApiServer
from tests.unit.plan.test_strategic_merge import PATCHES, TEMPLATES

Json = dict[str, Any]
Kubectl = Callable[[Sequence[Json], Json], list[Json]]


class KubectlError(Exception):
    """What kubectl said instead of a result."""


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Patches pods with those templates. It starts in a tenth of a second, so one run takes many pods."""
    program = kubebuilder_assets() / "kubectl"

    def patched(templates: Sequence[Json], patch: Json) -> list[Json]:
        pods = [pod_of(template) for template in templates]
        answer = subprocess.run(
            [program, "patch", "--local", "-f", "-", "--type", "strategic", "-o", "json", "-p", json.dumps(patch)],
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if answer.returncode:
            raise KubectlError(answer.stderr)
        return [template_of(pod) for pod in documents(answer.stdout)]

    return patched


def pod_of(template: Json) -> Json:
    metadata = template.get("metadata", {}) | {"name": "p"}
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": metadata}


def template_of(pod: Json) -> Json:
    metadata = {key: value for key, value in pod["metadata"].items() if key != "name"}
    return {"metadata": metadata, "spec": pod["spec"]}


def documents(text: str) -> Iterator[Json]:
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        yield document
        text = text[end:]


def without_nulls(value: Any) -> Any:
    """kubectl leaves nulls in entries that are new to a list; the API server takes them for nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def spec(**fields: Any) -> Json:
    return {"spec": fields}


def server(**fields: Any) -> Json:
    return spec(containers=[{"name": "server", **fields}])


def names(*values: str) -> list[Json]:
    return [{"name": value} for value in values]


TEMPLATE: Json = {
    "metadata": {
        "labels": {"app": "model", "tier": "serving"},
        "annotations": {"a": "b"},
        "finalizers": ["example.com/a", "example.com/b"],
    },
    "spec": {
        "containers": [
            {
                "name": "server",
                "image": "engine:1",
                "args": ["--port", "8000", "--verbose"],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}],
                "ports": [{"name": "http", "containerPort": 8000}],
                "resources": {"limits": {"memory": "1Gi", "nvidia.com/gpu": "1"}},
                "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 2},
                "securityContext": {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": [
                    {"name": "weights", "mountPath": "/mnt/weights", "readOnly": True},
                    {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - a mount of the pod
                ],
            },
            {"name": "sidecar", "image": "sidecar:1"},
        ],
        "nodeSelector": {"zone": "a", "disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "imagePullSecrets": names("registry"),
        "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["a"]}],
        "topologySpreadConstraints": [
            {"topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        "volumes": [
            {"name": "weights", "persistentVolumeClaim": {"claimName": "weights"}},
            {"name": "scratch", "emptyDir": {"medium": "Memory"}},
        ],
        "terminationGracePeriodSeconds": 30,
    },
}

LIKE_KUBECTL: dict[str, Json] = {
    "nothing": {},
    "empty objects": {"metadata": {}, "spec": {}},
    "a value": spec(terminationGracePeriodSeconds=60),
    "a new value": spec(priorityClassName="high"),
    "null deletes": spec(terminationGracePeriodSeconds=None, hostname=None),
    "null deletes a list": spec(tolerations=None, volumes=None),
    "labels": {"metadata": {"labels": {"tier": "batch", "new": "x"}, "annotations": {"a": None}}},
    "finalizers": {"metadata": {"finalizers": ["example.com/c", "example.com/b"]}},
    "finalizers go": {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}},
    "finalizers in order": {
        "metadata": {
            "$setElementOrder/finalizers": ["example.com/b", "example.com/c", "example.com/a"],
            "finalizers": ["example.com/c"],
        }
    },
    "owners": {"metadata": {"ownerReferences": [{"uid": "1", "name": "a"}]}},
    "a selector": spec(nodeSelector={"zone": "b", "disk": None, "new": "x"}),
    "a new object": spec(affinity={"nodeAffinity": {"a": None, "b": {"c": None}}}),
    "a selector in place of the selector": spec(nodeSelector={"$patch": "replace", "zone": "b"}),
    "no selector": spec(nodeSelector={"$patch": "delete"}),
    "what is not there goes": spec(securityContext={"$patch": "delete"}),
    "keys retained": spec(nodeSelector={"$retainKeys": ["disk", "new"], "new": "x"}),
    "tolerations": spec(tolerations=[{"key": "other", "operator": "Exists"}]),
    "no tolerations": spec(tolerations=[]),
    "args": server(args=["--quiet"]),
    "args go": server(**{"$deleteFromPrimitiveList/args": ["--verbose", "--other"]}),
    "args that are not there go": spec(
        containers=[{"name": "sidecar", "$deleteFromPrimitiveList/args": ["--verbose"]}]
    ),
    "an image": server(image="engine:2"),
    "a probe": server(readinessProbe={"httpGet": {"port": 80, "path": None}, "failureThreshold": 2}),
    "capabilities": server(securityContext={"capabilities": {"drop": ["NET_RAW"], "add": ["SYS_NICE"]}}),
    "resources": server(resources={"limits": {"memory": "2Gi"}, "requests": {"cpu": "1"}}),
    "a claim of resources": server(resources={"claims": names("gpu")}),
    "a new container": spec(containers=[{"name": "other", "image": "other:1", "command": None}]),
    "a new container between": spec(containers=names("server", "other", "sidecar")),
    "containers turned round": spec(containers=names("sidecar", "server")),
    "a new init container": spec(initContainers=[{"name": "first", "restartPolicy": "Always"}]),
    "a container goes": spec(containers=[{"name": "sidecar", "$patch": "delete"}]),
    "a container that is not there goes": spec(containers=[{"name": "other", "$patch": "delete"}]),
    "a container goes and comes": spec(containers=[{"name": "server", "$patch": "delete"}, {"name": "server"}]),
    "containers in place of the containers": spec(containers=[{"$patch": "replace"}, {"name": "other"}]),
    "no containers": spec(containers=[{"$patch": "replace"}]),
    "an empty list": spec(containers=[], initContainers=[]),
    "env": server(env=[{"name": "B", "value": "x"}, {"name": "D", "value": "4"}]),
    "env from elsewhere": server(env=[{"name": "A", "value": None, "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
    "env goes": server(env=[{"name": "A", "$patch": "delete"}, {"name": "C", "$patch": "delete"}]),
    "env twice": server(env=[{"name": "D", "value": "4"}, {"name": "D", "value": "5"}]),
    "env in order": server(**{"$setElementOrder/env": names("C", "A")}),
    "env in order, with a new one": server(
        **{"$setElementOrder/env": names("C", "D", "A"), "env": [{"name": "D"}, {"name": "A", "value": "x"}]}
    ),
    "env in order, one goes": server(
        **{"$setElementOrder/env": names("C", "A"), "env": [{"name": "B", "$patch": "delete"}]}
    ),
    "an empty order": server(**{"$setElementOrder/env": []}),
    "an order of what is not there": spec(
        containers=[{"name": "sidecar", "$setElementOrder/env": names("B", "A"), "env": names("B", "A")}]
    ),
    "a port": server(ports=[{"containerPort": 8000, "name": "web"}, {"containerPort": 9000}]),
    "ports of one number": spec(
        containers=[{"name": "sidecar", "ports": [{"containerPort": 53, "protocol": p} for p in ("UDP", "TCP")]}]
    ),
    "a mount": server(volumeMounts=[{"mountPath": "/mnt/weights", "readOnly": False}, {"mountPath": "/x"}]),
    "a device": server(volumeDevices=[{"devicePath": "/dev/a", "name": "a"}]),
    "another volume": spec(volumes=[{"name": "cache", "emptyDir": {}}]),
    "two sources of a volume": spec(volumes=[{"name": "scratch", "configMap": {"name": "c"}}]),
    "another source of a volume": spec(
        volumes=[{"name": "scratch", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]
    ),
    "a pull secret": spec(imagePullSecrets=names("other")),
    "an alias": spec(hostAliases=[{"ip": "127.0.0.1", "hostnames": ["b"]}, {"ip": "::1", "hostnames": ["c"]}]),
    "a spread": spec(topologySpreadConstraints=[{"topologyKey": "kubernetes.io/hostname", "maxSkew": 2}]),
    "a gate": spec(schedulingGates=names("wait"), readinessGates=[{"conditionType": "a"}]),
    "a resource claim": spec(resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "gpu"}]),
}


def test_there_are_enough_cases() -> None:
    assert len(LIKE_KUBECTL) >= 25


@pytest.mark.parametrize("patch", LIKE_KUBECTL.values(), ids=LIKE_KUBECTL.keys())
def test_a_patch_does_what_kubectl_does(kubectl: Kubectl, patch: Json) -> None:
    [expected] = kubectl([TEMPLATE], patch)
    assert merged(TEMPLATE, patch) == without_nulls(expected)


REFUSED_BY_BOTH: dict[str, Json] = {
    "an entry without its key": server(env=[{"value": "1"}]),
    "a deletion without its key": server(env=[{"$patch": "delete"}]),
    "an unknown $patch": spec(nodeSelector={"$patch": "remove"}),
    "an unknown $patch of an entry": server(env=[{"name": "A", "$patch": "remove"}]),
    "an entry of another kind": server(env=["A"]),
    "a key that is not retained": spec(nodeSelector={"$retainKeys": ["disk"], "zone": "b"}),
    "retained keys that are no list": spec(nodeSelector={"$retainKeys": "disk"}),
    "an order that is no list": server(**{"$setElementOrder/env": "A"}),
    "an order without keys": server(**{"$setElementOrder/env": [{}]}),
    "an order that is not the patch's": server(**{"$setElementOrder/env": names("A", "B"), "env": names("B", "A")}),
    "an order that lacks an entry": server(**{"$setElementOrder/env": names("A"), "env": names("B")}),
}


@pytest.mark.parametrize("patch", REFUSED_BY_BOTH.values(), ids=REFUSED_BY_BOTH.keys())
def test_what_kubectl_refuses_is_refused(kubectl: Kubectl, patch: Json) -> None:
    with pytest.raises(KubectlError):
        kubectl([TEMPLATE], patch)
    with pytest.raises(InvalidPatch):
        merged(TEMPLATE, patch)


# What kubectl takes although it cannot be meant: it puts the value into the pod, or drops what is written beside it.
REFUSED_HERE: dict[str, Json] = {
    "a list for an object": spec(nodeSelector=["a"]),
    "an object for a list": spec(containers={"name": "server"}),
    "an object for a value": spec(terminationGracePeriodSeconds={"a": 1}),
    "an unknown directive": spec(nodeSelector={"$merge": "a"}),
    "a directive in a list that is replaced": spec(tolerations=[{"key": "gpu", "$patch": "delete"}]),
    "an entry without its key in a new list": spec(initContainers=[{"image": "a"}]),
    "an entry that replaces all others": spec(containers=[{"name": "server", "image": "x", "$patch": "replace"}]),
}


@pytest.mark.parametrize("patch", REFUSED_HERE.values(), ids=REFUSED_HERE.keys())
def test_what_kubectl_takes_for_a_literal_is_refused(kubectl: Kubectl, patch: Json) -> None:
    assert kubectl([TEMPLATE], patch)
    with pytest.raises(InvalidPatch):
        merged(TEMPLATE, patch)


def test_kubectl_drops_an_object_that_replaces_nothing(kubectl: Kubectl) -> None:
    patch = spec(securityContext={"$patch": "replace", "runAsUser": 1})
    assert kubectl([TEMPLATE], patch) == [TEMPLATE]
    assert merged(TEMPLATE, patch)["spec"]["securityContext"] == {"runAsUser": 1}


def test_kubectl_leaves_directives_in_what_is_new(kubectl: Kubectl) -> None:
    patch = spec(volumes=[{"name": "new", "$retainKeys": ["name"]}])
    assert kubectl([TEMPLATE], patch)[0]["spec"]["volumes"][0] == {"name": "new", "$retainKeys": ["name"]}
    assert merged(TEMPLATE, patch)["spec"]["volumes"][0] == {"name": "new"}


@pytest.mark.parametrize("patch", [spec(nodeSelector={"$patch": "merge"}), server(**{"$patch": "merge"})])
def test_kubectl_refuses_an_explicit_merge(kubectl: Kubectl, patch: Json) -> None:
    with pytest.raises(KubectlError):
        kubectl([TEMPLATE], patch)
    assert merged(TEMPLATE, patch) == TEMPLATE


@st.composite
def directed(draw: st.DrawFn) -> Json:
    """A patch with directives, where kubectl understands them: at what TEMPLATE has, and so a full template."""

    def keyed(entries: list[Json]) -> list[Json]:
        deleted = draw(st.lists(st.booleans(), min_size=len(entries), max_size=len(entries)))
        return [
            {"name": entry["name"], "$patch": "delete"} if gone else entry
            for entry, gone in zip(entries, deleted, strict=True)
        ]

    def ordered(field: str, entries: list[Json]) -> Json:
        """The entries, and an order of them among others."""
        order = [entry["name"] for entry in entries]
        for name in draw(st.lists(st.sampled_from("ABCDE"), unique=True)):
            if name not in order:
                order.insert(draw(st.integers(0, len(order))), name)
        return {field: entries, f"$setElementOrder/{field}": names(*order)}

    variables = st.sampled_from("ABCDE").map(lambda name: {"name": name, "value": "x"})
    env = draw(st.lists(variables, unique_by=lambda entry: entry["name"]))
    # Not both: what is new then stands in kubectl where its memory of what was deleted happens to be.
    container = ordered("env", env) if draw(st.booleans()) else {"env": keyed(env)}
    container |= draw(st.sampled_from([{}, {"$deleteFromPrimitiveList/args": ["8000"]}, {"args": ["x"]}]))
    selector = draw(st.sampled_from([{"$patch": "replace", "a": "b"}, {"$patch": "delete"}, {"a": "b"}]))
    volumes = keyed(names(*draw(st.permutations(["weights", "scratch", "cache"]))))
    everything = [{"$patch": "replace"}] if draw(st.booleans()) else []
    return spec(containers=[{"name": "server", **container}], nodeSelector=selector, volumes=everything + volumes)


@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(st.lists(TEMPLATES, min_size=5, max_size=5), PATCHES)
def test_200_generated_patches_do_what_kubectl_does(kubectl: Kubectl, templates: list[Json], patch: Json) -> None:
    expected = [without_nulls(found) for found in kubectl(templates, patch)]
    assert [merged(template, patch) for template in templates] == expected


@settings(max_examples=40, derandomize=True, database=None)
@given(directed())
def test_generated_directives_do_what_kubectl_does(kubectl: Kubectl, patch: Json) -> None:
    [expected] = kubectl([TEMPLATE], patch)
    assert merged(TEMPLATE, patch) == without_nulls(expected)


def test_the_lists_that_are_merged_are_those_of_the_api_server(bare_api: ApiServer) -> None:
    schemas = bare_api.ask("GET", "/openapi/v3/api/v1").body["components"]["schemas"]
    declared = dict(declared_lists(schemas, "io.k8s.api.core.v1.PodTemplateSpec"))
    assert declared == dict(known_lists(POD_TEMPLATE))


def declared_lists(schemas: Json, name: str, path: str = "") -> Iterator[tuple[str, str | None]]:
    """The path of every list below that has a patch strategy of merge, and its merge key."""
    for field, schema in schemas[name].get("properties", {}).items():
        below = f"{path}.{field}"
        strategies = schema.get("x-kubernetes-patch-strategy", "").split(",")
        assert not set(strategies) - {"", "merge", "retainKeys"}, below
        if "merge" in strategies:
            yield below, schema.get("x-kubernetes-patch-merge-key")
        for reference in references(schema):
            yield from declared_lists(schemas, reference, below)


def references(schema: Json) -> list[str]:
    inner = [schema, *schema.get("allOf", ()), schema.get("items", {}), *schema.get("items", {}).get("allOf", ())]
    return [found["$ref"].rpartition("/")[2] for found in inner if "$ref" in found]


def known_lists(fields: Fields, path: str = "") -> Iterator[tuple[str, str | None]]:
    for field, shape in fields.items():
        below = f"{path}.{field}"
        if isinstance(shape, MergeList):
            yield below, shape.key
        yield from known_lists(shape.entry if isinstance(shape, MergeList) else shape, below)
