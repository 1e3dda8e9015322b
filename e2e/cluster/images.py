"""Bring images into a cluster's containerd."""

import json
import subprocess
from pathlib import Path

from e2e.cluster.busybox_image import BUSYBOX_IMAGE, write_busybox_image
from e2e.cluster.layout import Layout
from e2e.cluster.namespace import require_anchor
from e2e.cluster.refusal import Refusal
from e2e.images.build import build
from e2e.images.catalogue import IMAGES


def import_archive(layout: Layout, archive: Path, known_as: str) -> bool:
    """Import an OCI archive unless this very file was the last under that name; says whether it had to."""
    require_anchor(layout)
    if not archive.is_file():
        raise Refusal(f"{archive} is no image: give the path of an OCI archive, or one of {', '.join(IMAGES)}")
    stat = archive.stat()
    stamp = f"{archive} {stat.st_size}-{stat.st_mtime_ns}"
    known_file = layout.state / "imported-images.json"
    known: dict[str, str] = json.loads(known_file.read_text()) if known_file.exists() else {}
    if known.get(known_as) == stamp:
        return False
    command = ["ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io", "images", "import"]
    answer = subprocess.run([*command, str(archive)], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        words = answer.stderr.strip().splitlines() or ["nothing said"]
        raise Refusal(f"containerd cannot import {archive}: {words[-1]}")
    known_file.write_text(json.dumps(known | {known_as: stamp}))
    return True


def load_image(layout: Layout, image: str) -> bool:
    """An image that is built here, by its name, or else an OCI archive by its path."""
    if image not in IMAGES:
        return import_archive(layout, Path(image), image)
    require_anchor(layout)
    built = build(image)
    return import_archive(layout, built.path, built.reference)


def import_busybox(layout: Layout) -> None:
    archive = layout.state / "busybox.tar"
    if not archive.exists():
        write_busybox_image(archive)
    import_archive(layout, archive, BUSYBOX_IMAGE)
