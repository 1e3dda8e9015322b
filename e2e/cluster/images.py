"""Bring images into a cluster's containerd."""

import json
import subprocess
from pathlib import Path

from e2e.cluster.busybox_image import write_busybox_image
from e2e.cluster.layout import Layout
from e2e.cluster.namespace import require_anchor
from e2e.cluster.refusal import Refusal


def import_archive(layout: Layout, archive: Path) -> bool:
    """Import an OCI archive unless this very file is imported already; says whether there was something to do."""
    require_anchor(layout)
    if not archive.is_file():
        raise Refusal(f"{archive} is no image archive: give the path of an OCI archive, or the name of an image")
    stat = archive.stat()
    stamp = f"{stat.st_size}-{stat.st_mtime_ns}"
    known_file = layout.state / "imported-images.json"
    known: dict[str, str] = json.loads(known_file.read_text()) if known_file.exists() else {}
    if known.get(str(archive)) == stamp:
        return False
    command = ["ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io", "images", "import"]
    answer = subprocess.run([*command, str(archive)], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        words = answer.stderr.strip().splitlines() or ["nothing said"]
        raise Refusal(f"containerd cannot import {archive}: {words[-1]}")
    known_file.write_text(json.dumps(known | {str(archive): stamp}))
    return True


def import_busybox(layout: Layout) -> None:
    archive = layout.state / "busybox.tar"
    if not archive.exists():
        write_busybox_image(archive)
    import_archive(layout, archive)
