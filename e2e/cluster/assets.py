"""A folder with `etcd`, `kube-apiserver` and `kubectl`, as test suites expect it in KUBEBUILDER_ASSETS."""

import os
from pathlib import Path

from e2e.cluster.binaries import KUBE
from e2e.cluster.build import built
from e2e.cluster.refusal import Refusal

NEEDED = ("etcd", "kube-apiserver", "kubectl")


def kubebuilder_assets() -> Path:
    chosen = os.environ.get("KUBEBUILDER_ASSETS")
    if not chosen:
        return built([KUBE])["kube"]
    folder = Path(chosen)
    missing = [name for name in NEEDED if not os.access(folder / name, os.X_OK)]
    if missing:
        raise Refusal(
            f"KUBEBUILDER_ASSETS={chosen} lacks {', '.join(missing)}: unset it, or name a folder that has them"
        )
    return folder
