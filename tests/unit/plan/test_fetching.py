"""How weights come to a volume, step by step, and what happens when a step does not go as it should."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stoker.api.parsing import LiveObject
from stoker.api.v1alpha1.condition import Condition
from stoker.api.v1alpha1.reason import Reason
from stoker.core.names import TASK_LABEL
from stoker.core.plan.actions import (
    Action,
    Apply,
    CreateClaim,
    CreateJob,
    CreateReplicaSet,
    CreateRevision,
    DeleteJob,
    KeepResult,
    MendClaim,
    Plan,
)
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Identity, Node, ObjectKind, Progress, Revision, Snapshot, Trouble
from stoker_runtime.facts import Format
from tests.unit.plan.builders import NOW, UID, claim, deployment, pod, replica_set
from tests.unit.plan.fetching import (
    FACTS,
    FETCHED,
    FOLDER,
    GIB,
    INSPECTED,
    answered,
    claimed,
    failed,
    fetched,
    hub,
    inspected,
    last_words,
    own_claim,
    pod_of,
    wanted_job,
    with_image,
    with_job,
)


def kinds(planned: Plan) -> list[type[Action]]:
    return [type(action) for action in planned.actions]


def the(kind: type[Any], planned: Plan) -> Any:
    (found,) = [action for action in planned.actions if isinstance(action, kind)]
    return found


def condition(planned: Plan, name: str) -> Condition:
    return next(condition for condition in planned.status.conditions if condition.type == name)


def question(world: Snapshot) -> dict[str, Any]:
    container = wanted_job(world)["spec"]["template"]["spec"]["containers"][0]
    asked: dict[str, Any] = json.loads(next(v["value"] for v in container["env"] if v["name"] == "STOKER_TASK"))
    return asked


# The way there


def test_first_a_job_looks_at_the_source_and_nothing_else_is_made() -> None:
    planned = plan(hub())
    assert CreateJob in kinds(planned)
    assert not {CreateClaim, CreateReplicaSet, CreateRevision} & set(kinds(planned))
    assert question(hub())["source"] == "hf://org/name@main"
    assert "volumeMounts" in str(wanted_job(hub()))
    assert "persistentVolumeClaim" not in str(wanted_job(hub()))


def test_then_a_claim_is_made_with_room_for_the_revisions_that_are_kept() -> None:
    body = the(CreateClaim, plan(inspected())).body
    assert body["spec"]["resources"]["requests"]["storage"] == "35Gi"  # 2 x 16 GiB, 5 % and 1 GiB more
    assert body["metadata"]["name"] == "llama-weights"


def test_a_size_that_the_user_wrote_is_taken_as_it_is() -> None:
    world = hub(spec={"weights": {"storage": {"claim": {"size": "100Gi"}}}})
    assert the(CreateClaim, plan(inspected(world))).body["spec"]["resources"]["requests"]["storage"] == "100Gi"


def test_then_a_job_fetches_the_revision_that_was_resolved() -> None:
    asked = question(claimed())
    assert asked["revision"] == INSPECTED["revision"]
    assert asked["folder"] == FOLDER
    assert asked["owner"] == "models.llama"
    assert CreateReplicaSet not in kinds(plan(claimed()))


def test_at_last_the_replicas_are_made_and_see_their_own_folder_read_only() -> None:
    template = the(CreateReplicaSet, plan(fetched())).body["spec"]["template"]
    mounts = {mount["name"]: mount for mount in template["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["weights"] == {"name": "weights", "mountPath": "/mnt/weights", "readOnly": True, "subPath": FOLDER}
    assert condition(plan(fetched()), "WeightsReady").status == "True"


def test_a_revision_keeps_what_was_found_for_it() -> None:
    kept = the(CreateRevision, plan(fetched())).body["data"]["weights"]
    assert (kept["revision"], kept["folder"]) == (INSPECTED["revision"], FOLDER)


@pytest.mark.parametrize(("names", "said"), [(["Q4/llama.gguf"], True), ([], False)])
def test_an_engine_is_told_the_file_that_was_found_and_else_looks_for_it(names: list[str], said: bool) -> None:
    facts = replace(FACTS, format=Format.GGUF).to_json()
    engine = {"name": "llamacpp", "image": "registry.example.com/llama.cpp:1"}
    world = answered(hub(spec={"engine": engine}), INSPECTED | {"facts": facts} | ({"names": names} if names else {}))
    made = plan(fetched(claimed(world)))
    server = the(CreateReplicaSet, made).body["spec"]["template"]["spec"]["containers"][0]
    assert ("/mnt/weights/Q4/llama.gguf" in server["args"]) is said
    assert ("command" in server) is not said
    assert the(CreateRevision, made).body["data"]["weights"].get("files") == (names or None)


def test_neither_token_nor_api_access_reaches_the_model_server() -> None:
    world = hub(spec={"model": {"source": "hf://org/name@main", "secretRef": {"name": "hub-token"}}})
    done = fetched(claimed(inspected(world)))
    assert "hub-token" in str(wanted_job(world))
    assert "hub-token" not in str(the(CreateReplicaSet, plan(done)).body)
    assert wanted_job(world)["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_a_pull_secret_reaches_the_job_as_a_file() -> None:
    world = hub(spec={"model": {"source": "oci://registry.example.com/m:1", "secretRef": {"name": "pull"}}})
    spec = wanted_job(world)["spec"]["template"]["spec"]
    (mount,) = [mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "credentials"]
    assert {"name": "DOCKER_CONFIG", "value": mount["mountPath"]} in spec["containers"][0]["env"]
    assert {"name": "credentials", "secret": {"secretName": "pull"}} in spec["volumes"]


def test_while_it_waits_the_model_is_reconciling_and_not_stalled() -> None:
    for world in (hub(), inspected(), claimed()):
        planned = plan(world)
        assert condition(planned, "Stalled").status == "False"
        assert condition(planned, "Reconciling").status == "True"
        assert condition(planned, "Ready").status == "False"


def test_progress_is_told_and_looked_at_again_soon() -> None:
    sentence = "Downloading 12.4/15.9 GiB, 310 MiB/s, 12 s left"
    world = replace(with_job(claimed()), progress=Progress(12 * GIB, 16 * GIB, sentence))
    planned = plan(world)
    assert planned.status.weights
    assert planned.status.weights.fetched_bytes == 12 * GIB
    assert condition(planned, "WeightsReady").message == sentence
    assert planned.look_again_seconds is not None
    assert planned.look_again_seconds <= 5


def test_a_suspended_model_fetches_nothing() -> None:
    for world in (
        hub(spec={"suspend": True}),
        _with_spec(inspected(), suspend=True),
        _with_spec(claimed(), suspend=True),
    ):
        planned = plan(world)
        assert not {CreateJob, CreateClaim} & set(kinds(planned))
        assert condition(planned, "WeightsReady").reason == "Suspended"
        assert condition(planned, "Reconciling").status == "False", "nothing is under way"
        assert planned.look_again_seconds is None


def _with_spec(world: Snapshot, **changes: Any) -> Snapshot:
    model = world.live.deployment
    return replace(world, live=LiveObject(model.model_copy(update={"spec": model.spec.model_copy(update=changes)})))


# Answers


def test_an_answer_is_copied_from_the_pod_to_the_job_and_counts_at_once() -> None:
    running = with_job(hub(), succeeded=True, ended_at=NOW)
    answer = json.dumps(INSPECTED)
    done = pod_of(running.jobs[0], phase="Succeeded", ready=False, containers=(last_words(answer),))
    planned = plan(replace(running, pods=(done,)))
    assert the(KeepResult, planned).result == answer
    assert CreateClaim in kinds(planned)


def test_a_job_that_ended_without_an_answer_is_waited_for_and_then_made_anew() -> None:
    assert DeleteJob not in kinds(plan(with_job(hub(), succeeded=True, ended_at=NOW)))
    late = with_job(hub(), succeeded=True, ended_at=NOW - timedelta(seconds=60))
    assert DeleteJob in kinds(plan(late))


@pytest.mark.parametrize("text", ["", "Traceback (most recent call last)", "[1]", "{", "null"])
def test_a_failed_job_without_a_sentence_is_told_as_such(text: str) -> None:
    running = with_job(hub(), failure="BackoffLimitExceeded: it failed too often", ended_at=NOW)
    dead = pod_of(running.jobs[0], phase="Failed", ready=False, containers=(last_words(text, 1),))
    assert condition(plan(replace(running, pods=(dead,))), "WeightsReady").reason == Reason.JOB_FAILED


def test_a_failure_stalls_the_model_and_is_tried_again_after_a_while() -> None:
    world = failed(hub(), "SourceForbidden", "Accept the licence.")
    planned = plan(world)
    assert condition(planned, "Stalled").reason == Reason.SOURCE_FORBIDDEN
    assert DeleteJob not in kinds(planned)
    assert DeleteJob in kinds(plan(failed(hub(), "SourceForbidden", "Accept the licence.", ago_seconds=301)))


def test_a_job_that_has_just_ended_well_is_no_crash_while_its_pod_still_says_that_it_waits() -> None:
    running = with_job(hub())
    ended_well = pod_of(running.jobs[0], phase="Pending", ready=False, containers=(last_words("{}"),))
    conditions = {each.type: each for each in plan(replace(running, pods=(ended_well,))).status.conditions}
    assert conditions["Degraded"].status == "False"


def test_a_job_that_cannot_start_says_why() -> None:
    running = with_job(hub())
    waits = replace(last_words(""), waiting_reason="CreateContainerConfigError", waiting_message='secret "t" not found')
    stuck = pod_of(running.jobs[0], phase="Pending", ready=False, containers=(replace(waits, last_end=None),))
    found = condition(plan(replace(running, pods=(stuck,))), "WeightsReady")
    assert found.reason == Reason.CONFIGURATION_MISSING
    assert 'secret "t" not found' in found.message


def test_a_job_whose_pod_is_lost_with_its_node_is_made_anew() -> None:
    running = with_job(claimed())
    fetching = pod_of(running.jobs[-1], phase="Running", ready=False)
    for overdue_seconds, expected in ((-60, 0), (29, 0), (31, 1)):
        lost = replace(fetching, deleting=True, gone_by=NOW - timedelta(seconds=overdue_seconds))
        assert kinds(plan(replace(running, pods=(lost,)))).count(DeleteJob) == expected, overdue_seconds
        for other in (replace(lost, phase="Failed"), replace(fetching, phase="Pending")):
            seen = replace(running, pods=(replace(lost, phase="Failed"), other))
            assert DeleteJob not in kinds(plan(seen)), "somebody has said how it ended, or another pod goes on"


def test_a_job_whose_authorities_are_missing_says_so() -> None:
    world = with_job(hub(cluster=with_image(weights={"caBundle": {"name": "company"}})))
    stuck = pod_of(world.jobs[0], phase="Pending", ready=False, containers=())
    said = Trouble("Pod", stuck.identity.name, "FailedMount", 'configmap "company" not found')
    found = condition(plan(replace(world, pods=(stuck,), troubles=(said,))), "WeightsReady")
    assert found.reason == Reason.CONFIGURATION_MISSING
    assert 'configmap "company" not found' in found.message


def test_jobs_trust_the_authorities_of_the_configuration_and_replicas_see_none_of_them() -> None:
    bundle = {"name": "company", "key": "roots.pem"}
    world = hub(cluster=with_image(weights={"caBundle": bundle, "env": {"AWS_CA_BUNDLE": "/elsewhere"}}))
    for job in (wanted_job(world), wanted_job(claimed(inspected(world)))):
        pod = job["spec"]["template"]["spec"]
        assert {"name": "authorities", "configMap": {"name": "company"}} in pod["volumes"]
        (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "authorities"]
        assert mount["readOnly"]
        env = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
        assert env["SSL_CERT_FILE"] == env["REQUESTS_CA_BUNDLE"] == f"{mount['mountPath']}/roots.pem"
        assert env["AWS_CA_BUNDLE"] == "/elsewhere", "what is written in env wins"
    replicas = the(CreateReplicaSet, plan(fetched(claimed(inspected(world)))))
    assert "authorities" not in str(replicas.body)
    assert "authorities" not in str(wanted_job(hub()))


def test_a_job_of_a_deleted_namesake_is_left_to_go_by_itself() -> None:
    planned = plan(with_job(hub(), owner_uid="uid-of-the-last-one"))
    assert not {CreateJob, DeleteJob} & set(kinds(planned))
    assert planned.look_again_seconds is not None


def test_another_source_ends_the_download_of_the_first() -> None:
    under_way = with_job(claimed())
    edited = deployment(1, model={"source": "hf://org/other"})
    planned = plan(replace(under_way, live=replace(under_way.live, deployment=edited)))
    ended = {action.job.name for action in planned.actions if isinstance(action, DeleteJob)}
    assert ended == {job.identity.name for job in under_way.jobs}
    assert kinds(planned).index(DeleteJob) < kinds(planned).index(CreateJob)


# Revisions and what stays on the volume


def revision_of(world: Snapshot, number: int = 1) -> Revision:
    body = the(CreateRevision, plan(world)).body
    name = body["metadata"]["labels"]["stoker.dev/revision"]
    data = json.dumps(body["data"]).encode()
    return Revision(Identity("models", f"llama-{name}", f"uid-{name}", "1"), name, number, UID, data)


def serving() -> Snapshot:
    world = fetched()
    kept = revision_of(world)
    owner = replica_set(kept.name, 1)
    return replace(world, revisions=(kept,), replica_sets=(owner,), pods=(pod("llama-0", owner),))


def test_a_branch_that_moves_on_changes_nothing_under_a_running_model() -> None:
    world = replace(serving(), jobs=tuple(job for job in serving().jobs if job.task == "fetch"))
    planned = plan(world)
    assert planned.actions == tuple(action for action in planned.actions if isinstance(action, Apply))
    assert condition(planned, "Ready").status == "True"


def test_once_a_revision_is_made_its_inspection_is_forgotten() -> None:
    forgotten = the(DeleteJob, plan(serving())).job.name
    assert "-inspect-" in forgotten


def test_the_old_revision_serves_while_the_new_one_is_fetched_and_its_folder_stays() -> None:
    world = serving()
    edited = deployment(1, model={"source": "hf://org/name@v2"})
    world = replace(world, live=replace(world.live, deployment=edited))
    found = INSPECTED | {"folder": "hf-org-name-v2", "revision": "v2"}
    fetching = answered(world, found)
    assert question(fetching)["keep"] == [FOLDER]
    planned = plan(fetching)
    assert condition(planned, "Ready").status == "True"
    assert condition(planned, "Reconciling").status == "True"
    assert CreateReplicaSet not in kinds(planned)


def test_going_back_to_a_kept_revision_asks_for_no_new_download() -> None:
    world = serving()
    second = replace(world, live=replace(world.live, deployment=deployment(1, model={"source": "hf://org/name@v2"})))
    found = INSPECTED | {"folder": "hf-org-name-v2", "revision": "v2"}
    second = answered(answered(second, found), FETCHED | {"folder": "hf-org-name-v2"})
    newer = revision_of(second, 2)
    owner = replica_set(newer.name, 1)
    second = replace(second, revisions=(*second.revisions, newer), replica_sets=(owner,), pods=(pod("new", owner),))
    back = replace(second, live=replace(second.live, deployment=deployment(1, model={"source": "hf://org/name@main"})))
    planned = plan(back)
    assert CreateJob not in kinds(planned)
    assert CreateReplicaSet in kinds(planned)


def test_what_a_replica_has_open_is_never_given_up_whatever_is_kept() -> None:
    world = serving()
    one: dict[str, Any] = {"model": {"source": "hf://org/name@v2"}, "weights": {"keepRevisions": 1}}
    world = replace(world, live=replace(world.live, deployment=deployment(1, **one)))
    assert question(answered(world, INSPECTED | {"folder": "v2"}))["keep"] == [FOLDER]


# The claim


def test_a_claim_that_nobody_made_for_this_model_is_not_taken() -> None:
    planned = plan(claimed(model=""))
    assert condition(planned, "Stalled").reason == Reason.OBJECT_IN_THE_WAY
    assert not {MendClaim, CreateJob} & set(kinds(planned))


def test_a_retained_claim_is_taken_over_as_it_is() -> None:
    planned = plan(claimed(owner_uid=""))
    assert MendClaim not in kinds(planned)
    assert CreateJob in kinds(planned)


def test_the_deletion_policy_decides_who_owns_the_claim_and_can_change_later() -> None:
    goes = {"weights": {"deletionPolicy": "Delete"}}
    assert "ownerReferences" in the(CreateClaim, plan(inspected(hub(spec=goes)))).body["metadata"]
    assert "ownerReferences" not in the(CreateClaim, plan(inspected())).body["metadata"]
    taken = the(MendClaim, plan(claimed(inspected(hub(spec=goes)), owner_uid="")))
    assert taken.patch["metadata"]["ownerReferences"][0]["uid"] == UID
    assert the(MendClaim, plan(claimed(owner_uid=UID))).patch == {"metadata": {"ownerReferences": None}}


def test_a_claim_grows_with_the_spec_and_never_shrinks() -> None:
    larger = hub(spec={"weights": {"storage": {"claim": {"size": "100Gi"}}}})
    patch = the(MendClaim, plan(claimed(inspected(larger)))).patch
    assert patch == {"spec": {"resources": {"requests": {"storage": "100Gi"}}}}
    smaller = hub(spec={"weights": {"storage": {"claim": {"size": "10Gi"}}}})
    assert MendClaim not in kinds(plan(claimed(inspected(smaller))))


def test_a_claim_without_a_written_size_grows_with_what_is_fetched_where_its_class_allows_it() -> None:
    world = hub(cluster=replace(with_image(), growing_classes=frozenset({"fast"})))
    small = {"size_bytes": 10 * GIB, "storage_class": "fast"}
    patch = the(MendClaim, plan(claimed(inspected(world), **small))).patch
    assert patch == {"spec": {"resources": {"requests": {"storage": "35Gi"}}}}, "what a new claim would have"
    for other in ({"size_bytes": 35 * GIB}, {"storage_class": "slow"}, {"storage_class": None}, {"bound": False}):
        assert MendClaim not in kinds(plan(claimed(inspected(world), **small | other)))


def test_a_shared_claim_is_used_and_never_changed() -> None:
    shared = hub(spec={"weights": {"storage": {"existingClaim": {"name": "shared"}}}})
    world = replace(inspected(shared), claims={"shared": claim("shared")})
    planned = plan(world)
    assert not {CreateClaim, MendClaim} & set(kinds(planned))
    assert question(world)["owner"] == "models.llama"
    missing = plan(inspected(shared))
    assert condition(missing, "WeightsReady").reason == Reason.CLAIM_MISSING
    assert "existingClaim" in condition(missing, "WeightsReady").message


# Where the job runs


def job_spec(world: Snapshot) -> dict[str, Any]:
    spec: dict[str, Any] = wanted_job(world)["spec"]["template"]["spec"]
    return spec


def gpu_nodes(*zones: str) -> tuple[Node, ...]:
    return tuple(
        Node(f"gpu-{zone}", {"topology.kubernetes.io/zone": zone}, {"nvidia.com/gpu": 8}, schedulable=True)
        for zone in zones
    )


def test_a_volume_of_one_node_is_bound_where_there_are_gpus() -> None:
    nodes = (*gpu_nodes("a", "c"), Node("cpu-b", {"topology.kubernetes.io/zone": "b"}, {}, schedulable=True))
    world = hub(cluster=replace(with_image(), nodes=nodes), spec={"accelerator": {"count": 1, "products": ["L4"]}})
    unbound = own_claim(access_modes=("ReadWriteOnce",), bound=False, phase="Pending")
    spec = job_spec(replace(inspected(world), claims={"llama-weights": unbound}))
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    wanted = {expression["key"]: expression["values"] for expression in term["matchExpressions"]}
    assert wanted == {"nvidia.com/gpu.product": ["L4"], "topology.kubernetes.io/zone": ["a", "c"]}


def test_where_the_job_waits_for_its_volume_the_claim_says_why() -> None:
    pending = claimed(bound=False, phase="Pending", storage_class="fast-ssd")
    world = with_job(replace(pending, cluster=replace(pending.cluster, storage_classes=frozenset({"slow"}))))
    said = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    owner = replica_set("", 0, identity=world.jobs[-1].identity)
    waiting = pod("fetch", owner, ready=False, phase="Pending", node="", unschedulable=said)
    conditions = plan(replace(world, pods=(waiting,))).status.conditions
    found = next(condition for condition in conditions if condition.type == "WeightsReady")
    assert found.reason == "StorageClassMissing"
    assert "names the StorageClass fast-ssd, which does not exist. Create it" in found.message
    assert "one of those that exist: slow." in found.message


def test_a_mounted_volume_of_one_node_is_filled_beside_whoever_mounts_it() -> None:
    spec = job_spec(claimed(access_modes=("ReadWriteOnce",)))
    (term,) = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"] == {"matchLabels": {"stoker.dev/claim": "llama-weights"}}
    labels = wanted_job(claimed(access_modes=("ReadWriteOnce",)))["spec"]["template"]["metadata"]["labels"]
    assert labels["stoker.dev/claim"] == "llama-weights"
    done = fetched(claimed(access_modes=("ReadWriteOnce",)))
    template = the(CreateReplicaSet, plan(done)).body["spec"]["template"]
    assert template["metadata"]["labels"]["stoker.dev/claim"] == "llama-weights"


def test_a_volume_for_many_nodes_binds_the_job_to_none() -> None:
    assert "affinity" not in job_spec(claimed())


def test_the_job_tolerates_what_replicas_tolerate() -> None:
    taint = {"key": "nvidia.com/gpu", "operator": "Exists"}
    assert taint in job_spec(hub(cluster=with_image(pods={"tolerations": [taint]})))["tolerations"]


def test_jobs_are_outside_the_policy_that_closes_the_replicas_way_out() -> None:
    planned = plan(fetched())
    policy = next(
        action.body
        for action in planned.actions
        if isinstance(action, Apply) and action.kind == ObjectKind.NETWORK_POLICY
    )
    assert policy["spec"]["podSelector"]["matchExpressions"] == [{"key": TASK_LABEL, "operator": "DoesNotExist"}]
