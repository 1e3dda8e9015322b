"""Which cluster a command talks to, and what is said where there is none."""

import argparse
from pathlib import Path

import pytest
import yaml

from stoker.cli.cluster_options import cluster_of
from stoker.cli.input_error import InputError


@pytest.fixture(autouse=True)
def no_cluster_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    def context(cluster: str, **more: str) -> dict[str, object]:
        return {"name": cluster, "context": {"cluster": cluster, "user": "me", **more}}

    def cluster(name: str) -> dict[str, object]:
        return {"name": name, "cluster": {"server": f"https://{name}.example"}}

    path = tmp_path / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster("one"), cluster("two")],
        "contexts": [context("one"), context("two", namespace="team")],
        "users": [{"name": "me", "user": {"token": "x"}}],
        "current-context": "one",
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def options(kubeconfig: Path | None = None, context: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(kubeconfig=kubeconfig, context=context)


async def problem_of(given: argparse.Namespace) -> str:
    with pytest.raises(InputError) as refused:
        await cluster_of(given)
    (problem,) = refused.value.problems
    return problem


async def test_the_current_context_is_meant_where_none_is_named(kubeconfig: Path) -> None:
    cluster = await cluster_of(options(kubeconfig))
    assert (cluster.credentials.host, cluster.namespace) == ("https://one.example", "default")


async def test_a_context_brings_its_namespace_along(kubeconfig: Path) -> None:
    cluster = await cluster_of(options(kubeconfig, "two"))
    assert (cluster.credentials.host, cluster.namespace) == ("https://two.example", "team")


async def test_the_variable_names_the_kubeconfig_as_for_kubectl(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{kubeconfig}")
    assert (await cluster_of(options(context="two"))).namespace == "team"


async def test_the_usual_kubeconfig_is_found(kubeconfig: Path, tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").symlink_to(kubeconfig)
    assert (await cluster_of(options())).credentials.host == "https://one.example"


async def test_a_context_that_does_not_exist_is_named(kubeconfig: Path) -> None:
    problem = await problem_of(options(kubeconfig, "three"))
    assert problem.startswith(f"kubeconfig {kubeconfig}: ")
    assert "three" in problem
    assert problem.endswith("`kubectl config get-contexts` lists what it has")


async def test_a_kubeconfig_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert await problem_of(options(tmp_path / "none")) == (
        f"--kubeconfig {tmp_path / 'none'}: there is no such file: give the path of a kubeconfig"
    )


async def test_a_variable_that_names_no_file_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = f"{tmp_path / 'none'}:{tmp_path / 'neither'}"
    monkeypatch.setenv("KUBECONFIG", named)
    problem = await problem_of(options())
    assert problem == f"KUBECONFIG={named}: there is no such file: correct it, or give --kubeconfig FILE"


@pytest.mark.parametrize("text", ["", "just text", "a: [", "clusters: {}"])
async def test_a_kubeconfig_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken"
    path.write_text(text, encoding="utf-8")
    assert (await problem_of(options(path))).startswith(f"kubeconfig {path}: ")


async def test_without_any_cluster_the_remedy_is_said() -> None:
    problem = await problem_of(options())
    remedy = "give --kubeconfig FILE, or set KUBECONFIG"
    assert problem == f"no cluster: there is no ~/.kube/config, and no ServiceAccount of a pod: {remedy}"


async def test_a_context_without_a_kubeconfig_is_wrong_use() -> None:
    assert await problem_of(options(context="one")) == ("--context one: there is no kubeconfig: give --kubeconfig FILE")
