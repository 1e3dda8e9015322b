"""`stoker preflight` against a real API server: what it reads, and what it may not read."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stoker.api.schema.permissions import PERMISSIONS, Scope
from stoker.cli.__main__ import main
from tests.integration.api_server import ApiServer

Checks = dict[str, dict[str, str]]
Run = Callable[..., tuple[int, Checks]]

NAMESPACE = "preflight"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
STORAGE = "/apis/storage.k8s.io/v1"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("STOKER_CONFIG", raising=False)

    def run_preflight(kubeconfig: Path, *arguments: str) -> tuple[int, Checks]:
        code = main(["preflight", "--kubeconfig", str(kubeconfig), "-n", NAMESPACE, "-o", "json", *arguments])
        streams = capsys.readouterr()
        assert streams.err == ""
        found = json.loads(streams.out)
        return code, {check["name"]: check for check in found["checks"]}

    return run_preflight


@pytest.fixture
def create(api: ApiServer) -> Iterator[Callable[[str, dict[str, Any]], dict[str, Any]]]:
    """Makes objects that are gone after the test: every test of the run has the same API server."""
    made: list[str] = []

    def post(collection: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = api.ask("POST", collection, body)
        assert answer.status == 201, answer.message
        made.append(f"{collection}/{answer.body['metadata']['name']}")
        return answer.body

    yield post
    for path in reversed(made):
        api.ask("DELETE", path)


Create = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def namespace(api: ApiServer) -> str:
    # It stays: without a controller manager, namespaces never go away.
    api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    return NAMESPACE


def gpu_node(name: str, **spec: Any) -> dict[str, Any]:
    labels = {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "23034"}
    amounts = {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "4", "hugepages-2Mi": "0"}
    status = {
        "capacity": amounts,
        "allocatable": amounts,
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}],
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


@pytest.fixture
def ready(api: ApiServer, create: Create, namespace: str) -> ApiServer:
    """A cluster that is ready for the first model."""
    create("/api/v1/nodes", gpu_node("gpu-1"))
    create("/api/v1/nodes", gpu_node("gpu-2"))
    create(f"{STORAGE}/csidrivers", {"metadata": {"name": "disks.example.com"}})
    storage_class = {
        "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "disks.example.com",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    create(f"{STORAGE}/storageclasses", storage_class)
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    hard = {"requests.nvidia.com/gpu": "8", "pods": "20"}
    create(quotas, {"metadata": {"name": "team"}, "spec": {"hard": hard}})
    status = {"status": {"hard": hard, "used": {"requests.nvidia.com/gpu": "3", "pods": "4"}}}
    api.ask("PATCH", f"{quotas}/team/status", status, "application/merge-patch+json")
    return api


def kubeconfig_with(api: ApiServer, path: Path, *, bearer: str, server: str | None = None) -> Path:
    content = yaml.safe_load(api.kubeconfig.read_text(encoding="utf-8"))
    for user in content["users"]:
        user["user"] = {"token": bearer}
    for cluster in content["clusters"]:
        cluster["cluster"]["server"] = server or cluster["cluster"]["server"]
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture
def account(api: ApiServer, create: Create, namespace: str, tmp_path: Path) -> Path:
    """The kubeconfig of a ServiceAccount that nobody has allowed anything yet."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    create(accounts, {"metadata": {"name": "operator"}})
    token = api.ask("POST", f"{accounts}/operator/token", {"spec": {"expirationSeconds": 600}})
    assert token.status == 201, token.message
    return kubeconfig_with(api, tmp_path / "account", bearer=token.body["status"]["token"])


def test_a_ready_cluster_passes_every_check(ready: ApiServer, run: Run) -> None:
    code, checks = run(ready.kubeconfig)
    assert code == 0
    assert {check["level"] for check in checks.values()} == {"ok"}
    assert checks["crd"]["sentence"] == "modeldeployments.stoker.dev v1alpha1 is the one of this stoker"
    assert checks["accelerators"]["sentence"] == "8 nvidia.com/gpu on 2 nodes"
    assert checks["gpu-labels"]["sentence"] == "products on 2 nodes: NVIDIA-L4"
    assert checks["storage-class"]["sentence"] == "fast is the default"
    assert checks["storage-provisioner"]["sentence"] == "disks.example.com makes volumes for fast"
    assert checks["namespace"]["sentence"] == "preflight exists"


def test_what_the_quotas_leave_is_told(ready: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preflight", "--kubeconfig", str(ready.kubeconfig), "-n", NAMESPACE]) == 0
    printed = capsys.readouterr().out
    assert "ResourceQuota team in preflight leaves 5 of 8 requests.nvidia.com/gpu" in printed
    assert "ResourceQuota team in preflight leaves 16 of 20 pods" in printed
    assert printed.splitlines()[-1].endswith(" ok")


def test_what_is_missing_fails_with_its_remedy(api: ApiServer, namespace: str, run: Run) -> None:
    del namespace
    code, checks = run(
        api.kubeconfig,
        "--set",
        "pods.priorityClassName=serving",
        "--set",
        "storage.storageClassName=gone",
        "-n",
        "gone",
    )
    assert code == 1
    failed = {name: check["remedy"] for name, check in checks.items() if check["level"] == "fail"}
    assert failed == {
        "namespace": "kubectl create namespace gone, or give -n",
        "storage-class": "create it, or set storage.storageClassName to one that exists: none",
        "priority-class": "create it, or change pods.priorityClassName",
    }
    assert checks["accelerators"]["level"] == "warn"


def test_a_class_that_exists_is_found(api: ApiServer, create: Create, namespace: str, run: Run) -> None:
    del namespace
    create("/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": "serving"}, "value": 100})
    create("/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "nvidia"}, "handler": "nvidia"})
    flags = ("--set", "pods.priorityClassName=serving", "--set", "pods.runtimeClassName=nvidia")
    _, checks = run(api.kubeconfig, *flags)
    assert (checks["priority-class"]["level"], checks["runtime-class"]["level"]) == ("ok", "ok")


def test_a_cordoned_node_is_named(ready: ApiServer, create: Create, run: Run) -> None:
    create("/api/v1/nodes", gpu_node("gpu-3", unschedulable=True))
    code, checks = run(ready.kubeconfig)
    assert code == 0
    assert checks["accelerator-nodes"]["level"] == "warn"
    assert checks["accelerator-nodes"]["sentence"] == "2 of 3 nodes with accelerators take pods; cordoned: gpu-3"


def test_many_nodes_are_read_page_by_page(ready: ApiServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoker.kube.connection.PAGE_SIZE", 1)
    _, checks = run(ready.kubeconfig)
    assert checks["accelerators"]["sentence"] == "8 nvidia.com/gpu on 2 nodes"


def test_a_user_without_permissions_learns_which_and_knows_nothing_else(
    ready: ApiServer, account: Path, run: Run
) -> None:
    del ready
    code, checks = run(account)
    assert code == 1
    assert checks["api-server"]["level"] == "ok"
    assert {check["level"] for name, check in checks.items() if name.startswith("may-use-")} == {"fail"}
    unread = ("crd", "namespace", "quota", "storage-class", "accelerators")
    assert {checks[name]["level"] for name in unread} == {"unknown"}
    assert checks["accelerators"]["sentence"].startswith("could not be read: 403 Forbidden: nodes is forbidden")


def grant(create: Create, scopes: tuple[Scope, ...], namespace: str | None) -> None:
    """The rules of some scopes, cluster-wide or in one namespace, to the ServiceAccount."""
    rules = [
        {"apiGroups": [permission.group], "resources": [permission.resource], "verbs": list(permission.verbs)}
        for permission in PERMISSIONS
        if permission.scope in scopes
    ]
    kind, root = ("Role", f"{RBAC}/namespaces/{namespace}") if namespace else ("ClusterRole", RBAC)
    name = f"preflight-{'-'.join(scope.name.lower() for scope in scopes)}"
    create(f"{root}/{kind.lower()}s", {"metadata": {"name": name}, "rules": rules})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": NAMESPACE}],
    }
    create(f"{root}/{kind.lower()}bindings", binding)


def levels_of_permissions(checks: Checks) -> set[str]:
    return {check["level"] for name, check in checks.items() if name.startswith("may-use-")}


def test_a_role_made_of_the_table_is_all_that_is_needed(create: Create, account: Path, run: Run) -> None:
    grant(create, (Scope.MODELS, Scope.CLUSTER), None)
    grant(create, (Scope.OPERATOR,), NAMESPACE)
    _, checks = run(account)
    assert levels_of_permissions(checks) == {"ok"}


def test_with_watched_namespaces_roles_in_them_are_enough(create: Create, account: Path, run: Run) -> None:
    grant(create, (Scope.MODELS, Scope.OPERATOR), NAMESPACE)
    grant(create, (Scope.CLUSTER,), None)
    _, checks = run(account, "--set", f"watch.namespaces=[{NAMESPACE}]")
    assert levels_of_permissions(checks) == {"ok"}
    _, checks = run(account)
    assert checks["may-use-pods"]["level"] == "fail"


def test_the_lease_is_asked_for_in_the_operator_s_namespace(create: Create, account: Path, run: Run) -> None:
    grant(create, (Scope.OPERATOR,), NAMESPACE)
    _, checks = run(account, "--operator-namespace", "default")
    assert checks["may-use-leases"]["level"] == "fail"
    assert "leases.coordination.k8s.io in default" in checks["may-use-leases"]["sentence"]
    _, checks = run(account, "--operator-namespace", NAMESPACE)
    assert checks["may-use-leases"]["level"] == "ok"


def test_an_api_server_that_does_not_answer_fails_and_leaves_the_rest_unknown(
    bare_api: ApiServer, tmp_path: Path, run: Run
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        server = f"https://127.0.0.1:{taken.getsockname()[1]}"
        code, checks = run(kubeconfig_with(bare_api, tmp_path / "elsewhere", bearer="x", server=server))
    assert code == 1
    assert checks.pop("api-server")["sentence"].startswith(f"nobody answers at {server}: ")
    assert {(check["level"], check["sentence"]) for check in checks.values()} == {
        ("unknown", "could not be read: the API server does not answer this user")
    }


def test_a_token_that_is_not_accepted_fails(bare_api: ApiServer, tmp_path: Path, run: Run) -> None:
    code, checks = run(kubeconfig_with(bare_api, tmp_path / "stranger", bearer="nonsense"))
    assert code == 1
    assert checks.pop("api-server")["sentence"].endswith(
        "does not accept the credentials: 401 Unauthorized: Unauthorized"
    )
    assert {check["level"] for check in checks.values()} == {"unknown"}


def test_a_kubeconfig_that_does_not_exist_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preflight", "--kubeconfig", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("stoker preflight: --kubeconfig ")
