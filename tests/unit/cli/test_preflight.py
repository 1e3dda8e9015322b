"""What `stoker preflight` makes of the facts about the API server: one sentence each, and unknown where a fact could
not be read."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from stoker.api.schema.permissions import PERMISSIONS
from stoker.core.permissions import Access, accesses
from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, Silence, Unread
from stoker.kube.lease import NEEDED_VERBS
from tests.unit.cli.ready_cluster import (
    FAST,
    GPU_NODE,
    READY,
    REFUSED,
    SPEC,
    changed,
    checked,
    configured,
    nodes,
    quota,
    storage,
    the,
)


def test_a_cluster_that_is_ready_has_nothing_to_mend() -> None:
    assert {check.level for check in checked(READY)} == {Level.OK}
    assert not any(check.remedy for check in checked(READY))


def test_what_is_not_well_always_has_a_remedy() -> None:
    found = [check for why in NOT_WELL for check in checked(why) if check.level in (Level.WARN, Level.FAIL)]
    assert found
    assert all(check.remedy for check in found)


@pytest.mark.parametrize("name", [field.name for field in fields(Facts) if field.name not in ("address", "namespace")])
def test_a_fact_that_could_not_be_read_is_neither_well_nor_bad(name: str) -> None:
    configuration = configured(pods={"priorityClassName": "serving", "runtimeClassName": "nvidia"})
    ready = replace(READY, priority_class_exists=True, runtime_class_exists=True)
    blind: dict[str, Any] = {name: dict.fromkeys(READY.allowed, REFUSED) if name == "allowed" else REFUSED}
    found = checked(replace(ready, **blind), configuration)
    unknown = [check for check in found if check.level is Level.UNKNOWN]
    assert len(unknown) == (len(PERMISSIONS) if name == "allowed" else 1)
    assert {check.sentence for check in unknown} == {"could not be read: 403 Forbidden: not for you"}
    assert {check.level for check in found} == {Level.OK, Level.UNKNOWN}


# --- the API server ---


@pytest.mark.parametrize("version", ["v1.30.0", "v1.33.4-gke.100", "v1.35.9+k3s1", "1.31"])
def test_a_supported_version_is_well(version: str) -> None:
    assert the("api-server", replace(READY, version=version)) == Check(
        "api-server", Level.OK, f"Kubernetes {version} at https://cluster.example"
    )


def test_an_old_version_fails() -> None:
    assert the("api-server", replace(READY, version="v1.29.14")) == Check(
        "api-server",
        Level.FAIL,
        "Kubernetes v1.29.14 is older than 1.30, the oldest that Stoker works with",
        "upgrade the cluster",
    )


def test_a_version_that_nobody_tested_warns() -> None:
    found = the("api-server", replace(READY, version="v1.36.0"))
    assert found.level is Level.WARN
    assert found.sentence == "Kubernetes v1.36.0 is newer than 1.35, the newest that this Stoker is tested with"


def test_a_version_that_is_none_is_unknown() -> None:
    found = the("api-server", replace(READY, version="None"))
    assert found == Check(
        "api-server", Level.UNKNOWN, "https://cluster.example says that its version is 'None', which is none"
    )


def test_an_api_server_that_does_not_answer_fails() -> None:
    found = the("api-server", replace(READY, version=Unread(Silence.UNREACHABLE, "GET /version: TimeoutError")))
    assert found == Check(
        "api-server",
        Level.FAIL,
        "nobody answers at https://cluster.example: GET /version: TimeoutError",
        "check the address, the network and --context",
    )


def test_credentials_that_are_not_accepted_fail() -> None:
    found = the("api-server", replace(READY, version=Unread(Silence.UNAUTHENTICATED, "401 Unauthorized: no")))
    assert found.level is Level.FAIL
    assert found.sentence == "https://cluster.example does not accept the credentials: 401 Unauthorized: no"


def test_the_leader_worker_set_api_is_worth_a_word_either_way() -> None:
    assert "only a replica that spans nodes would need it" in the("leader-worker-set", READY).sentence
    there = the("leader-worker-set", replace(READY, leader_worker_sets=True))
    assert there == Check("leader-worker-set", Level.OK, "the LeaderWorkerSet API is there: a replica may span nodes")


# --- the CRD ---


APPLY = "kubectl apply --server-side -f crds/"


def test_a_crd_that_is_not_installed_fails() -> None:
    assert the("crd", replace(READY, definition=None)) == Check(
        "crd", Level.FAIL, "modeldeployments.stoker.dev is not installed", APPLY
    )


def test_a_crd_of_other_versions_fails() -> None:
    found = the("crd", changed("spec", "versions", 0, "name", value="v1beta1"))
    assert found == Check("crd", Level.FAIL, "has no version v1alpha1, only v1beta1", APPLY)


def test_a_version_that_is_not_served_fails() -> None:
    found = the("crd", changed("spec", "versions", 0, "served", value=False))
    assert found.level is Level.FAIL
    assert found.sentence == "has version v1alpha1, which the API server is told not to serve"


def test_a_crd_that_the_api_server_refuses_to_serve_fails() -> None:
    conditions = [{"type": "NamesAccepted", "status": "False", "message": "mdep is taken by another"}]
    found = the("crd", changed("status", value={"conditions": conditions}))
    assert found.level is Level.FAIL
    assert found.sentence == "is not served: mdep is taken by another"


def test_a_crd_that_lacks_fields_is_older() -> None:
    assert the("crd", changed(*SPEC, "suspend")) == Check(
        "crd", Level.FAIL, "is older than this stoker: it lacks spec.suspend", APPLY
    )


def test_a_field_inside_a_list_counts_too() -> None:
    found = the("crd", changed(*SPEC, "engine", "properties", "env", "items", "properties", "value"))
    assert found.sentence == "is older than this stoker: it lacks spec.engine.env[].value"


def test_a_crd_with_more_fields_is_newer() -> None:
    found = the("crd", changed(*SPEC, "adapters", value={"type": "object"}))
    assert found.level is Level.WARN
    assert found.sentence == "is newer than this stoker, which knows nothing of spec.adapters"


def test_a_crd_that_lacks_some_fields_and_has_others_is_another_s() -> None:
    facts = changed(*SPEC, "adapters", value={"type": "object"})
    assert isinstance(facts.definition, dict)
    del facts.definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][
        "suspend"
    ]
    found = the("crd", facts)
    assert found.level is Level.FAIL
    assert found.sentence == "is another Stoker's: it lacks spec.suspend, and has spec.adapters"


def test_a_crd_without_the_scale_subresource_fails() -> None:
    found = the("crd", changed("spec", "versions", 0, "subresources", "scale"))
    assert found == Check("crd", Level.FAIL, "has other subresources than this stoker works with", APPLY)


def test_a_crd_with_other_rules_warns() -> None:
    found = the("crd", changed(*SPEC, "replicas", "maximum", value=5))
    assert found.level is Level.WARN
    assert found.sentence == "has the fields of this stoker, but other rules or defaults for them"


def test_other_words_in_a_description_are_no_difference() -> None:
    assert the("crd", changed(*SPEC, "replicas", "description", value="Other words.")).level is Level.OK


# --- permissions ---


def test_a_missing_permission_is_named_with_its_reason() -> None:
    allowed = {
        access: not (access.resource == "pods" and access.verb in ("patch", "delete")) for access in READY.allowed
    }
    found = the("may-use-pods", replace(READY, allowed=allowed))
    assert found.level is Level.FAIL
    assert found.sentence == (
        "this user may not patch, delete pods. Patched to move a replica between tiers or out of its ReplicaSet,"
        " deleted once a chosen replica is drained."
    )


def test_with_watched_namespaces_only_these_are_asked_about() -> None:
    questions = [a for permission in PERMISSIONS for a in accesses(permission, ("team-a", "team-b"), "stoker-system")]
    allowed = {access: access.namespace != "team-b" for access in questions}
    configuration = configured(watch={"namespaces": ["team-a", "team-b"]})
    found = checked(replace(READY, allowed=allowed), configuration)
    by_name = {check.name: check for check in found}
    assert by_name["may-use-services"].sentence.startswith(
        "this user may not get, list, watch, create, patch, delete services in team-b. "
    )
    assert by_name["may-use-nodes"].sentence == "this user may list, watch nodes"
    assert by_name["may-use-leases"].sentence == (
        "this user may get, create, update leases.coordination.k8s.io in stoker-system"
    )


def test_a_denied_verb_weighs_more_than_one_that_could_not_be_asked() -> None:
    answers: Iterator[bool | Unread] = iter([REFUSED, False])
    allowed: dict[Access, bool | Unread] = {
        access: next(answers) if access.resource == "nodes" else True for access in READY.allowed
    }
    found = the("may-use-nodes", replace(READY, allowed=allowed))
    assert found.level is Level.FAIL
    assert found.sentence.startswith("this user may not watch nodes. ")


def test_nothing_dangerous_is_asked_for() -> None:
    asked = {(permission.resource, verb) for permission in PERMISSIONS for verb in permission.verbs}
    resources = {resource for resource, _ in asked}
    assert not resources & {"secrets", "pods/exec", "pods/attach", "*"}
    assert not {verb for _, verb in asked} & {"*", "deletecollection", "impersonate", "escalate", "bind"}
    assert ("pods", "create") not in asked
    assert {verb for resource, verb in asked if resource == "modeldeployments"} == {"get", "list", "watch"}
    assert len({(permission.group, permission.resource) for permission in PERMISSIONS}) == len(PERMISSIONS)


def test_the_rule_for_leases_is_what_the_election_says_that_it_needs() -> None:
    (leases,) = [permission for permission in PERMISSIONS if permission.resource == "leases"]
    assert ", ".join(leases.verbs) == NEEDED_VERBS


NOT_WELL = (
    replace(READY, version="v1.20.0", definition=None, namespace_exists=False, nodes=(), storage_classes=()),
    replace(READY, version="v1.99.0", allowed=dict.fromkeys(READY.allowed, False)),
    changed(*SPEC, "suspend"),
    changed(*SPEC, "adapters", value={"type": "object"}),
    storage(replace(FAST, default=False)),
    storage(replace(FAST, waits_for_consumer=False), drivers=frozenset()),
    nodes(replace(GPU_NODE, cordoned=True, labels={}, allocatable={})),
    quota({"pods": "1"}, {"pods": "1"}),
)
