import base64
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from stoker.api.configuration import Configuration
from stoker.api.schema.permissions import PERMISSIONS, Scope
from stoker.cli.configuration_file import load
from stoker.core.control_token import SHORTEST_KEY_BYTES
from stoker.core.names import MODEL_LABEL
from stoker.core.plan.agent import CONTROL_PORT
from tests.unit.chart.generation.places import CHART, CRD, ROOT
from tests.unit.chart.golden_files import VALUE_SETS
from tests.unit.chart.helm import rendered, run
from tests.unit.chart.objects import REGISTRY, Json, installed, objects, of_kind, only

EVERYTHING = {
    "test": {"model": {"name": "web"}},
    "engineImages": {"ollama": {"repository": "ollama", "tag": "1"}},
    "crds": {"enabled": False},
}


def configuration_of(found: list[Json], folder: Path) -> Configuration:
    """As the operator would read it."""
    file = folder / "configuration.yaml"
    (configuration,) = (one["data"] for one in of_kind("ConfigMap", found) if "configuration.yaml" in one["data"])
    file.write_text(configuration["configuration.yaml"], encoding="utf-8")
    return load(file, {}).configuration


def rules(permissions: list[Any]) -> list[Json]:
    return [{"apiGroups": [one.group], "resources": [one.resource], "verbs": list(one.verbs)} for one in permissions]


def needed(*scopes: Scope) -> list[Json]:
    return rules([one for scope in scopes for one in PERMISSIONS if one.scope == scope])


def test_the_definition_is_the_one_in_crds_word_for_word() -> None:
    definition = only("CustomResourceDefinition", objects())
    wanted = yaml.safe_load(CRD.read_text(encoding="utf-8"))
    assert definition["spec"] == wanted["spec"]
    assert definition["metadata"]["name"] == wanted["metadata"]["name"]


def test_the_account_may_do_what_the_table_of_permissions_says_and_nothing_else() -> None:
    found = installed()
    assert only("ClusterRole", found)["rules"] == needed(Scope.MODELS, Scope.CLUSTER)
    assert only("Role", found)["rules"] == needed(Scope.OPERATOR)
    account = only("ServiceAccount", found)["metadata"]["name"]
    for binding in (only("ClusterRoleBinding", found), only("RoleBinding", found)):
        assert [subject["name"] for subject in binding["subjects"]] == [account]
    assert only("Deployment", found)["spec"]["template"]["spec"]["serviceAccountName"] == account


def test_an_operator_of_two_namespaces_has_roles_there_and_reads_nodes_only_of_the_cluster() -> None:
    found = installed({"configuration": {"watch": {"namespaces": ["team-a", "team-b"]}}})
    assert only("ClusterRole", found)["rules"] == needed(Scope.CLUSTER)
    roles = {role["metadata"]["namespace"]: role["rules"] for role in of_kind("Role", found)}
    models = needed(Scope.MODELS)
    assert roles == {"stoker-system": needed(Scope.OPERATOR), "team-a": models, "team-b": models}


def test_an_operator_of_its_own_namespace_has_both_roles_there() -> None:
    found = installed({"configuration": {"watch": {"namespaces": ["stoker-system"]}}})
    names = {role["metadata"]["name"]: role["rules"] for role in of_kind("Role", found)}
    assert names == {"stoker-operator": needed(Scope.OPERATOR), "stoker-operator-models": needed(Scope.MODELS)}


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_the_operator_takes_the_configuration_that_the_chart_writes(values: Path, tmp_path: Path) -> None:
    configuration = configuration_of(list(yaml.safe_load_all(rendered("--values", str(values)))), tmp_path)
    assert configuration.agent.key_file is not None


def test_every_image_comes_from_the_one_registry(tmp_path: Path) -> None:
    found = objects(EVERYTHING)
    specs = [only("Deployment", found)["spec"]["template"]["spec"], only("Pod", found)["spec"]]
    images = [container["image"] for spec in specs for container in spec["containers"]]
    configuration = configuration_of(found, tmp_path)
    images += [str(configuration.runtime.image), *(str(engine.image) for engine in configuration.engines)]
    assert len(images) == 4
    assert all(image.startswith(f"{REGISTRY}/") for image in images)


def test_what_the_configuration_says_of_an_image_wins(tmp_path: Path) -> None:
    written = {
        "engines": [{"name": "ollama", "image": "a.example.com/ollama:2"}],
        "runtime": {"image": "b.example/r:1"},
    }
    configuration = configuration_of(objects(EVERYTHING | {"configuration": written}), tmp_path)
    assert [str(engine.image) for engine in configuration.engines] == ["a.example.com/ollama:2"]
    assert str(configuration.runtime.image) == "b.example/r:1"


def test_another_configuration_starts_the_operator_anew_and_another_number_does_not() -> None:
    def pod(values: Json) -> Json:
        template: Json = only("Deployment", objects(values))["spec"]["template"]
        return template

    before = pod({})
    assert pod({"operator": {"replicas": 3}}) == before
    assert pod({"networkPolicy": {"enabled": False}}) == before
    changed = pod({"configuration": {"log": {"level": "debug"}}})
    assert changed["spec"] == before["spec"]
    assert changed["metadata"]["annotations"] != before["metadata"]["annotations"]


def test_the_key_is_long_enough_random_and_survives_the_release() -> None:
    secrets = [only("Secret", objects()) for _ in range(2)]
    keys = {base64.b64decode(secret["data"]["agent-key"]) for secret in secrets}
    assert len(keys) == 2
    assert all(len(key) >= SHORTEST_KEY_BYTES for key in keys)
    assert secrets[0]["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_a_key_of_ones_own_is_mounted_and_none_is_made() -> None:
    found = objects({"agentKey": {"existingSecret": "fleet", "key": "k"}})
    assert of_kind("Secret", found) == []
    volumes = only("Deployment", found)["spec"]["template"]["spec"]["volumes"]
    assert [volume["secret"]["secretName"] for volume in volumes if "secret" in volume] == ["fleet"]


def test_every_pod_is_restricted() -> None:
    found = objects(EVERYTHING)
    for spec in (only("Deployment", found)["spec"]["template"]["spec"], only("Pod", found)["spec"]):
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        # Variables of Services would be taken for settings of the operator.
        assert spec["enableServiceLinks"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_operator_may_reach_the_agents_where_they_listen() -> None:
    egress = only("NetworkPolicy", objects())["spec"]["egress"]
    (to_agents,) = [way for way in egress if "to" in way]
    assert to_agents["ports"] == [{"port": CONTROL_PORT, "protocol": "TCP"}]
    (peer,) = to_agents["to"]
    assert peer["podSelector"]["matchExpressions"] == [{"key": MODEL_LABEL, "operator": "Exists"}]


def test_labels_of_ones_own_never_take_the_pods_out_of_their_deployment() -> None:
    values = {"operator": {"podLabels": {"app.kubernetes.io/name": "other", "team": "a"}}}
    spec = only("Deployment", objects(values))["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert labels["team"] == "a"


def test_the_test_pod_is_none_of_the_operators_pods() -> None:
    found = objects(EVERYTHING)
    selector = only("Service", found)["spec"]["selector"]
    assert not selector.items() <= only("Pod", found)["metadata"]["labels"].items()


def test_the_log_of_a_test_can_be_asked_for_when_it_is_over() -> None:
    """Helm asks for it last, of a pod named like each object of the test."""
    hooks = [one["metadata"] for one in objects(EVERYTHING) if "helm.sh/hook" in one["metadata"].get("annotations", {})]
    pod = only("Pod", objects(EVERYTHING))["metadata"]
    assert len(hooks) == 4
    assert {one["name"] for one in hooks} == {pod["name"]}
    assert pod["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation"


def test_a_model_is_tried_where_the_operator_looks_and_nowhere_else() -> None:
    def account(values: Json) -> str | None:
        name: str | None = only("Pod", objects(values))["spec"].get("serviceAccountName")
        return name

    assert account({}) == "stoker-test"
    assert account({"configuration": {"watch": {"namespaces": ["stoker-system"]}}}) == "stoker-test"
    assert account({"configuration": {"watch": {"namespaces": ["team-a"]}}}) is None
    assert account({"runtime": {"enabled": False}}) is None
    assert account({"test": {"simulated": {"enabled": False}}}) is None


def test_the_chart_has_the_version_of_the_code() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (chart["version"], chart["appVersion"]) == (project["version"], project["version"])


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_helm_finds_nothing_to_say(values: Path) -> None:
    answer = run("lint", "--strict", "--quiet", str(CHART), "--values", str(values))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
