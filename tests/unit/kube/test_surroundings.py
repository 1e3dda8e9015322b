"""What of quotas, pods with devices and other tools' workloads reaches decisions."""

from typing import Any

import pytest

from stoker.core.follow.others import DeviceHolder, Quota, Selector
from stoker.kube.models import Models
from stoker.kube.observed import replica_of_another, selector
from stoker.kube.resources import Key
from stoker.kube.surroundings import device_holder, quota

GPU = "nvidia.com/gpu"


def asking(amount: str, kind: str = "limits") -> dict[str, Any]:
    return {"name": "c", "resources": {kind: {GPU: amount, "cpu": "1"}}}


def pod(*containers: dict[str, Any], first: tuple[dict[str, Any], ...] = (), **metadata: Any) -> dict[str, Any]:
    made = {
        "uid": "u",
        "name": "p",
        "namespace": "n",
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-21T08:00:00Z",
    }
    spec = {"nodeName": "a", "containers": list(containers), "initContainers": list(first)}
    return {"metadata": made | metadata, "spec": spec}


def test_a_pod_holds_what_its_containers_ask_for_together() -> None:
    assert device_holder(pod(asking("2"), asking("1", "requests"))) == DeviceHolder("u", "a", {GPU: 3})


def test_what_runs_before_counts_where_it_asks_for_more() -> None:
    assert device_holder(pod(asking("1"), first=(asking("4"),))) == DeviceHolder("u", "a", {GPU: 4})


def test_a_sidecar_holds_its_devices_as_long_as_the_others() -> None:
    sidecar = asking("1") | {"restartPolicy": "Always"}
    assert device_holder(pod(asking("2"), first=(sidecar,))) == DeviceHolder("u", "a", {GPU: 3})
    assert device_holder(pod(asking("1"), first=(sidecar, asking("4")))) == DeviceHolder("u", "a", {GPU: 5})


def test_of_a_pod_without_devices_nothing_is_kept() -> None:
    assert device_holder(pod({"name": "c"}, asking("0"))) is None


def test_a_quota_tells_its_devices_and_their_use() -> None:
    status = {"hard": {f"requests.{GPU}": "8", "pods": "4"}, "used": {f"requests.{GPU}": "3"}}
    assert quota({"spec": {"hard": {f"requests.{GPU}": "9"}}, "status": status}) == Quota({GPU: 8}, {GPU: 3})


def test_a_quota_that_was_just_made_has_the_bound_of_its_spec() -> None:
    assert quota({"spec": {"hard": {f"requests.{GPU}": "9"}}}) == Quota({GPU: 9}, {})


SOME_PODS = {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}}


@pytest.mark.parametrize("narrowing", [{"scopes": ["Terminating"]}, SOME_PODS])
def test_a_quota_on_some_pods_only_bounds_nothing(narrowing: dict[str, Any]) -> None:
    assert quota({"spec": {"hard": {f"requests.{GPU}": "1"}} | narrowing}) is None


def test_a_quota_on_other_things_bounds_nothing() -> None:
    assert quota({"spec": {"hard": {"pods": "4"}}}) is None


def test_a_selector_becomes_a_query() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["b", "a"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "new", "operator": "Exists"},
        {"key": "zone", "operator": "NotIn", "values": ["x"]},
    ]
    said = {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": expressions}
    assert selector({"spec": {"selector": said}}) == Selector("a=1,b=2,tier in (a,b),!old,new,zone notin (x)")


def test_a_workload_that_selects_nothing_never_selects_everything() -> None:
    assert selector({"spec": {"selector": {}}}) == selector({"spec": {}}) == Selector(None)


def test_another_tools_pod_serves_at_its_first_port() -> None:
    container = {"name": "engine", "ports": [{"containerPort": 8000}, {"containerPort": 9000}]}
    found = replica_of_another(pod(container, labels={"pod-template-hash": "abc"}))
    assert (found.tier, found.server_port, found.agent_port, found.revision) == ("serving", 8000, 0, "abc")


def test_a_port_that_is_called_http_comes_before_the_first() -> None:
    container = {"name": "engine", "ports": [{"containerPort": 9000}, {"name": "http", "containerPort": 8000}]}
    assert replica_of_another(pod(container)).server_port == 8000


def test_of_who_wrote_what_only_scalers_are_remembered() -> None:
    models, key = Models(), Key("n", "m")
    entries = [{"manager": "kubectl", "operation": "Apply"}, {"manager": "hpa", "subresource": "scale"}]
    metadata = {"namespace": "n", "name": "m", "resourceVersion": "1", "managedFields": entries}
    models.put({"metadata": metadata})
    found = models.get(key)
    assert found
    assert found["metadata"]["managedFields"] == entries[1:]
