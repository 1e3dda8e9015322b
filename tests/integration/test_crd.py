"""The CRD on a real API server: accepted, explained, listed, scaled."""

import time
from pathlib import Path

import pytest
import yaml

from stoker.api.parsing import parse_live
from stoker.api.schema.crd import custom_resource_definition
from tests.integration.api_server import Answer, ApiServer
from tests.integration.world import CRDS
from tests.manifests import is_stored, manifest
from tests.schemas import SCHEMAS


def test_the_crd_is_accepted_without_a_warning(crd_answer: Answer) -> None:
    assert crd_answer.status == 201, crd_answer.message
    assert crd_answer.warnings == ()


def test_the_crd_is_structural_and_its_names_are_free(api: ApiServer) -> None:
    crd = api.ask("GET", f"{CRDS}/modeldeployments.stoker.dev").body
    conditions = {condition["type"]: condition["status"] for condition in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


def test_the_crd_in_the_repository_is_the_one_under_test(api: ApiServer, repository: Path) -> None:
    applied = api.kubectl(
        "apply", "--dry-run=server", "--server-side", "--force-conflicts", "-f", str(repository / "crds")
    )
    assert applied.returncode == 0, applied.stderr
    diff = api.kubectl("diff", "--server-side", "--force-conflicts", "-f", str(repository / "crds"))
    assert diff.returncode == 0, diff.stdout + diff.stderr


def explained_paths() -> list[str]:
    """Every path below spec and status as `kubectl explain` takes it: without the brackets of lists."""
    below = (path for path in SCHEMAS if path.startswith((".spec", ".status")))
    return sorted({path.removeprefix(".").replace("[]", "") for path in below})


def test_kubectl_explains_every_path(api: ApiServer) -> None:
    shown = api.kubectl("explain", "modeldeployments", "--recursive")
    assert shown.returncode == 0, shown.stderr
    paths = [path for path in explained_paths() if not path.endswith(("requests", "limits", "labels", "annotations"))]
    assert len(paths) > 130
    for path in paths:
        assert f" {path.rpartition('.')[2]}\t" in shown.stdout, path


@pytest.mark.parametrize("path", explained_paths())
def test_kubectl_explains(api: ApiServer, path: str) -> None:
    explained = api.kubectl("explain", f"mdep.{path}")
    assert explained.returncode == 0, explained.stderr
    _, _, description = explained.stdout.partition("DESCRIPTION:")
    assert len(description.strip()) > 20, explained.stdout


def test_a_fresh_object_waits_for_its_operator(api: ApiServer) -> None:
    made = api.create(manifest({"metadata.name": "fresh"}), options="")
    assert made.status == 201, made.message
    status = api.get("fresh").body["status"]
    assert status["observedGeneration"] == 0
    assert {condition["type"]: condition["status"] for condition in status["conditions"]} == {
        "Ready": "Unknown",
        "Reconciling": "True",
    }
    api.delete("fresh")


def test_the_columns_show_counts_model_status_and_age(api: ApiServer) -> None:
    api.create(manifest({"metadata.name": "shown"}), options="")
    header, row = api.kubectl("get", "mdep", "shown").stdout.splitlines()
    assert header.split() == ["NAME", "READY", "WARM", "DESIRED", "QUEUE", "MODEL", "STATUS", "AGE"]
    assert row.split()[:4] == ["shown", "0", "0", "0"]
    wide = api.kubectl("get", "stoker", "-o", "wide").stdout.splitlines()[0].split()
    assert wide[7:] == ["ENGINE", "GPUS", "URL", "REVISION", "AGE"]
    api.delete("shown")


def test_kubectl_scale_moves_the_floor_within_the_most(api: ApiServer) -> None:
    api.create(manifest({"metadata.name": "scaled"}), options="")
    assert api.get("scaled", "/scale").body["spec"]["replicas"] == 1
    assert api.kubectl("scale", "mdep/scaled", "--replicas=3").returncode == 0
    assert api.get("scaled").body["spec"]["replicas"] == 3
    refused = api.kubectl("scale", "mdep/scaled", "--replicas=9")
    assert refused.returncode != 0
    assert "replicas 9 is above scaling.maxReplicas 4" in refused.stderr
    api.delete("scaled")


def test_the_scale_subresource_reports_serving_replicas_and_their_selector(api: ApiServer) -> None:
    api.create(manifest({"metadata.name": "served"}), options="")
    selector = "stoker.dev/model=served,stoker.dev/tier=serving"
    written = api.patch("served", {"status": {"replicas": 2, "selector": selector}}, "/status")
    assert written.status == 200, written.message
    assert api.get("served", "/scale").body["status"] == {"replicas": 2, "selector": selector}
    api.delete("served")


def test_a_stored_object_stays_valid_when_the_crd_is_generated_anew(api: ApiServer) -> None:
    api.create(manifest({"metadata.name": "kept"}), options="")
    before = api.get("kept").body
    name = "modeldeployments.stoker.dev"
    installed = api.ask("GET", f"{CRDS}/{name}").body
    regenerated = custom_resource_definition()
    regenerated["metadata"]["resourceVersion"] = installed["metadata"]["resourceVersion"]
    assert api.ask("PUT", f"{CRDS}/{name}", regenerated).status == 200
    deadline = time.monotonic() + 10
    touched = api.patch("kept", {"metadata": {"annotations": {"touched": "yes"}}})
    while touched.status != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
        touched = api.patch("kept", {"metadata": {"annotations": {"touched": "yes"}}})
    assert touched.status == 200, touched.message
    assert touched.body["spec"] == before["spec"]
    api.delete("kept")


STORED = sorted((Path(__file__).parent / "stored").glob("*.yaml"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_an_object_that_an_earlier_crd_stored_is_still_taken(api: ApiServer, path: Path) -> None:
    written = yaml.safe_load(path.read_text())
    answer = api.create(written)
    assert answer.status == 201, answer.message
    is_stored(written["spec"], answer.body["spec"])
    assert parse_live(answer.body).unrecognised == ()
