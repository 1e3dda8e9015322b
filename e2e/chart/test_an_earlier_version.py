"""An operator of an earlier version, from its own chart, is replaced by this one and takes over again.

`make test-upgrade FROM=COMMIT` checks that commit out and builds its operator; without it there is no earlier version.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.chart.completion import completes, wait_until_it_completes
from e2e.chart.conftest import ENGINE_IMAGE
from e2e.chart.release import Release
from e2e.cluster.images import import_archive
from e2e.images.build import ImageArchive
from e2e.images.build import build as build_image
from e2e.operator.conftest import Models
from e2e.running_cluster import until
from e2e.up.stage import image_values

EARLIER = os.environ.get("STOKER_EARLIER", "")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not EARLIER, reason="no earlier version is named: make test-upgrade FROM=COMMIT"),
]


def earlier_image(name: str) -> ImageArchive:
    """Built by that version's own recipes."""
    checkout = Path(EARLIER)
    parts = (str(checkout / part) for part in ("operator", "runtime-image", ""))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(parts)}
    build = [sys.executable, "-m", "e2e.images", "build", name]
    said = subprocess.run(build, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    reference, _, path = said.splitlines()[-1].partition(" ")
    return ImageArchive(reference, Path(path))


def test_replicas_of_an_earlier_version_outlive_the_upgrade_the_rollback_and_the_next_upgrade(
    release: Release, models: Models, tmp_path: Path
) -> None:
    layout = release.namespace.cluster.layout
    before, engine = earlier_image("operator"), build_image(ENGINE_IMAGE)
    import_archive(layout, before.path, before.reference)
    values = tmp_path / "earlier.yaml"
    # The engine's image stays, as where it is named by a digest: what is asked is what another operator makes of it.
    values.write_text(json.dumps(image_values(before, engine)))
    earlier = Release(release.helm, release.namespace, values)
    earlier.install(chart=Path(EARLIER) / "charts" / "stoker")
    models.create(replicas=1)
    models.wait_settled()
    wait_until_it_completes(models)
    pods, operators = models.pods(), release.operators()
    release.install()
    assert not set(release.operators()) & set(operators)
    _acts(models, replicas=2)
    assert pods.items() <= models.pods().items()
    pods = models.pods()
    earlier.rollback()
    _acts(models, replicas=3)
    assert pods.items() <= models.pods().items()
    pods = models.pods()
    release.install()
    _acts(models, replicas=4)
    assert pods.items() <= models.pods().items()
    assert all(completes(models) for _ in range(10))


def _acts(models: Models, replicas: int) -> None:
    """The operator of now does what it is told, with replicas that another one made beside its own."""
    models.namespace.kubectl("scale", "mdep/web", f"--replicas={replicas}")
    until(lambda: len(models.pods()) == replicas, f"{replicas} replicas", 120)
    models.wait_ready(seconds=120)
