"""`stoker status`, `explain` and `top` against a real API server: what they read, and what they may not read."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from stoker.cli.__main__ import main
from tests.integration.api_server import ApiServer

NAMESPACE = "looking"
MODELS = f"/apis/stoker.dev/v1alpha1/namespaces/{NAMESPACE}/modeldeployments"
ACCOUNTS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_stoker(*arguments: str, kubeconfig: Path | None = None) -> tuple[int, str, str]:
        code = main([*arguments, "--kubeconfig", str(kubeconfig or api.kubeconfig)])
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return run_stoker


@pytest.fixture
def make(api: ApiServer) -> Iterator[Callable[..., None]]:
    api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    made: list[str] = []

    def model(name: str, status: dict[str, Any] | None = None) -> None:
        manifest = {
            "apiVersion": "stoker.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": name},
            "spec": {"model": {"source": "hf://a/b"}, "scaling": {"maxReplicas": 4}},
        }
        answer = api.ask("POST", MODELS, manifest)
        assert answer.status == 201, answer.message
        made.append(name)
        if status:
            patched = api.ask("PATCH", f"{MODELS}/{name}/status", {"status": status}, "application/merge-patch+json")
            assert patched.status == 200, patched.message

    yield model
    for name in made:
        api.ask("DELETE", f"{MODELS}/{name}")


Make = Callable[..., None]


def ready(**more: Any) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Serving",
        "message": "1 of 1 replica takes traffic.",
        "lastTransitionTime": "2026-11-21T08:00:00Z",
    }
    numbers = {"replicas": 1, "readyReplicas": 1, "desiredReplicas": 1, "accelerators": 1}
    return {"observedGeneration": 1, "conditions": [condition]} | numbers | more


@pytest.fixture
def stranger(api: ApiServer, tmp_path: Path, make: Make) -> Path:
    """The kubeconfig of somebody who may do nothing."""
    del make
    api.ask("POST", ACCOUNTS, {"metadata": {"name": "stranger"}})
    token = api.ask("POST", f"{ACCOUNTS}/stranger/token", {"spec": {"expirationSeconds": 600}})
    content = yaml.safe_load(api.kubeconfig.read_text(encoding="utf-8"))
    for user in content["users"]:
        user["user"] = {"token": token.body["status"]["token"]}
    file = tmp_path / "stranger"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def test_a_fleet_is_ready_only_when_every_model_is(make: Make, run: Run) -> None:
    make("good", ready(runningRequests=3, waitingRequests=0))
    code, out, _ = run("status", "-n", NAMESPACE)
    assert code == 0
    assert out.splitlines()[1].split()[:7] == ["good", "1/1", "0/0", "0", "3", "0", "1"]
    make("fresh")
    code, out, _ = run("status", "-n", NAMESPACE)
    assert code == 1
    assert "WaitingForOperator" in out
    assert "1 of 2 models Ready in namespace looking" in out


def test_one_model_alone_can_be_asked_for(make: Make, run: Run) -> None:
    make("good", ready())
    make("fresh")
    code, out, _ = run("status", "good", "-n", NAMESPACE, "-o", "json")
    assert code == 0
    assert [model["name"] for model in json.loads(out)["models"]] == ["good"]


def test_all_namespaces_are_shown_with_their_names(make: Make, run: Run) -> None:
    make("good", ready())
    _, out, _ = run("status", "-A")
    assert "NAMESPACE" in out
    assert any(line.split()[:2] == [NAMESPACE, "good"] for line in out.splitlines()[1:] if line)


def test_an_unknown_name_brings_the_near_ones(make: Make, run: Run) -> None:
    make("llama-8b")
    code, _, err = run("explain", "lama-8b", "-n", NAMESPACE)
    assert code == 2
    assert err == ("stoker explain: there is no ModelDeployment lama-8b in namespace looking: did you mean llama-8b?\n")
    assert run("status", "zzz", "-n", NAMESPACE)[2].endswith("there are llama-8b\n")
    assert run("status", "zzz", "-n", "nowhere")[2].endswith("there is none at all; -n names another namespace\n")


def test_somebody_without_permission_learns_which_is_lacking(stranger: Path, run: Run) -> None:
    code, _, err = run("status", "-n", NAMESPACE, kubeconfig=stranger)
    assert code == 2
    assert err == (
        "stoker status: you may not list modeldeployments.stoker.dev in namespace looking:"
        " ask for a role with the verb list\n"
    )
    assert (
        "in all namespaces: ask for a role with the verb list, or name one namespace with -n"
        in run("status", "-A", kubeconfig=stranger)[2]
    )
    assert "you may not get modeldeployments.stoker.dev" in run("explain", "x", "-n", NAMESPACE, kubeconfig=stranger)[2]


def test_commands_that_change_something_are_refused_in_the_same_words(stranger: Path, make: Make, run: Run) -> None:
    make("good", ready())
    assert (
        "you may not get modeldeployments.stoker.dev"
        in run("rollback", "good", "-n", NAMESPACE, kubeconfig=stranger)[2]
    )
    for command, verb in (("freeze", "patch"), ("thaw", "delete")):
        code, _, err = run(command, "--operator-namespace", NAMESPACE, kubeconfig=stranger)
        assert code == 2
        assert f"you may not {verb} configmaps in namespace looking: ask for a role with the verb {verb}" in err
    assert (
        "there is no ModelDeployment goof in namespace looking: did you mean good?"
        in run("rollback", "goof", "-n", NAMESPACE)[2]
    )


@pytest.mark.usefixtures("make")
def test_a_freeze_begins_and_ends_once_and_never_in_a_namespace_that_is_not_there(run: Run) -> None:
    code, _, err = run("freeze", "--operator-namespace", "nowhere")
    assert code == 2
    assert err == "stoker freeze: there is no namespace nowhere: name the operator's by --operator-namespace\n"
    where = ("--operator-namespace", NAMESPACE)
    assert run("freeze", *where, "--reason", "storage")[0] == 0
    assert run("thaw", *where)[:2] == (0, "not frozen any more\n")
    assert run("thaw", *where)[:2] == (0, "namespace looking has no freeze that could end\n")


@pytest.mark.usefixtures("make")
def test_a_script_reads_what_a_freeze_and_its_end_did(run: Run) -> None:
    where = ("--operator-namespace", NAMESPACE, "-o", "json")
    begun, ended, nothing = (
        json.loads(run(*command, *where)[1]) for command in (("freeze", "--reason", "storage"), ("thaw",), ("thaw",))
    )
    assert (begun["operatorNamespace"], begun["frozen"], begun["reason"]) == (NAMESPACE, True, "storage")
    assert [(said["frozen"], said["changed"]) for said in (ended, nothing)] == [(False, True), (False, False)]


def test_a_script_reads_what_became_of_a_pin(make: Make, run: Run) -> None:
    old, new = "a" * 10, "b" * 10
    revisions = [{"name": old, "number": 1}, {"name": new, "number": 2}]
    make("good", ready(updateRevision=new, revisions=revisions))
    asked = ("rollback", "good", "-n", NAMESPACE, "-o", "json")
    keys = ("name", "pinnedBefore", "pinned", "changed")
    for flags, expected in (
        ((), ("good", None, old, True)),
        (("--to", old), ("good", old, old, False)),
        (("--undo",), ("good", old, None, True)),
    ):
        code, out, _ = run(*asked, *flags)
        assert code == 0
        assert tuple(json.loads(out)[key] for key in keys) == expected
    code, out, err = run(*asked, "--to", "zzz")
    assert (code, out) == (2, "")
    assert f"has no revision zzz: it has {new} (number 2" in err


def test_who_may_read_models_alone_gets_an_answer_that_says_what_is_unknown(
    api: ApiServer, stranger: Path, make: Make, run: Run
) -> None:
    rules = [{"apiGroups": ["stoker.dev"], "resources": ["modeldeployments"], "verbs": ["get", "list"]}]
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
    api.ask("POST", f"{rbac}/roles", {"metadata": {"name": "looks"}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "looks"}
    who = [{"kind": "ServiceAccount", "name": "stranger", "namespace": NAMESPACE}]
    api.ask("POST", f"{rbac}/rolebindings", {"metadata": {"name": "looks"}, "roleRef": role, "subjects": who})
    make("good", ready())
    try:
        code, out, _ = run("status", "-n", NAMESPACE, kubeconfig=stranger)
        assert (code, "the nodes may not be read" in out) == (0, True)
        code, out, _ = run("explain", "good", "-n", NAMESPACE, kubeconfig=stranger)
        assert (code, "The events may not be read" in out) == (0, True)
    finally:
        api.ask("DELETE", f"{rbac}/rolebindings/looks")
        api.ask("DELETE", f"{rbac}/roles/looks")


def test_events_of_a_model_and_of_nothing_else_are_told(api: ApiServer, make: Make, run: Run) -> None:
    make("good", ready())
    for about in ("good", "other"):
        event = {
            "metadata": {"name": f"{about}.1"},
            "involvedObject": {"kind": "ModelDeployment", "name": about, "namespace": NAMESPACE},
            "reason": "Serving",
            "message": f"{about} serves.",
            "type": "Normal",
            "lastTimestamp": "2026-11-21T08:00:00Z",
        }
        api.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/events", event)
    code, out, _ = run("explain", "good", "-n", NAMESPACE)
    assert code == 0
    assert "Serving: good serves." in out
    assert "other serves." not in out


def test_top_prints_once_where_nobody_looks(make: Make, run: Run) -> None:
    make("good", ready())
    code, out, _ = run("top", "-n", NAMESPACE)
    assert code == 0
    assert "\x1b" not in out
    assert "good" in out


def test_a_cluster_without_the_definition_says_how_to_install_it(api: ApiServer, run: Run) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/modeldeployments.stoker.dev"
    unserved = [{"op": "replace", "path": "/spec/versions/0/served", "value": False}]
    served = [{"op": "replace", "path": "/spec/versions/0/served", "value": True}]
    # Not served is, for a client, the same as not there, and leaves the other tests their definition.
    send: Any = api.ask
    assert send("PATCH", path, unserved, "application/json-patch+json").status == 200
    try:
        _until(lambda: api.ask("GET", MODELS).status == 404)
        for command in (("status",), ("explain", "x"), ("top",), ("rollback", "x")):
            code, _, err = run(*command, "-n", NAMESPACE)
            assert code == 2
            assert "this cluster does not know ModelDeployments: install Stoker, with" in err
    finally:
        assert send("PATCH", path, served, "application/json-patch+json").status == 200
        _until(lambda: api.ask("GET", MODELS).status == 200)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def outdated(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models a, b and c, for which there are newer defaults, and an upgrade that looks at them often."""
    monkeypatch.setattr("stoker.cli.upgrade._LOOK_SECONDS", 0.1)
    serving = ready(updateRevision="old")
    newer = {
        "type": "UpdateAvailable",
        "status": "True",
        "reason": "NewerDefaults",
        "message": "x",
        "lastTransitionTime": "2026-11-21T08:00:00Z",
    }
    for name in ("a", "b", "c"):
        make(name, serving | {"conditions": [*serving["conditions"], newer]})


@pytest.mark.usefixtures("outdated")
def test_newer_defaults_are_rolled_out_wave_by_wave_and_no_further_than_a_failure(api: ApiServer, run: Run) -> None:
    code, out, _ = run("upgrade", "--all", "-n", NAMESPACE, "--dry-run")
    assert (code, out.count("would be upgraded")) == (0, 3)
    code, out, _ = run("upgrade", "a", "-n", NAMESPACE, "--dry-run", "-o", "json")
    of_a = {"namespace": NAMESPACE, "name": "a", "state": "HasUpdate", "message": "would be upgraded"}
    assert (code, json.loads(out)) == (0, {"good": True, "models": [of_a]})
    with ThreadPoolExecutor(1) as pool:
        # What an operator would do: a good to its end, b given up.
        pool.submit(_operate, api, {"a": {"updateRevision": "new"}, "b": {"revisions": [_FAILED]}})
        code, out, _ = run("upgrade", "--all", "-n", NAMESPACE, "--timeout", "30")
    assert code == 1
    assert "looking/a: is Ready with revision new, after" in out
    assert "looking/b: revision new was given up: LoadDeadlineExceeded, after" in out
    assert "looking/c: not begun" in out
    assert "annotations" not in api.ask("GET", f"{MODELS}/c").body["metadata"]


@pytest.mark.usefixtures("outdated")
def test_a_script_reads_how_each_upgrade_ended_and_gets_the_same_exit_code(
    api: ApiServer, make: Make, run: Run
) -> None:
    make("d", ready(updateRevision="old"))
    named = ("upgrade", "a", "b", "c", "d", "-n", NAMESPACE, "--timeout", "1", "-o", "json")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_operate, api, {"a": {"updateRevision": "new"}})
        code, out, _ = run(*named)
    answer = json.loads(out)
    assert (code, answer["good"]) == (1, False)
    ends = {model["name"]: model["state"] for model in answer["models"]}
    assert ends == {"a": "Upgraded", "b": "TimedOut", "c": "NotBegun", "d": "UpToDate"}


_FAILED = {"name": "new", "failedReason": "LoadDeadlineExceeded"}


def _operate(api: ApiServer, answers: dict[str, dict[str, Any]]) -> None:
    """Waits for each of these models to be told, and then answers so."""
    for name, status in answers.items():
        _until(lambda name=name: "annotations" in api.ask("GET", f"{MODELS}/{name}").body["metadata"])  # type: ignore[misc]
        api.ask("PATCH", f"{MODELS}/{name}/status", {"status": status}, "application/merge-patch+json")
