"""Whether a folder of weights is what was published, by names and sizes."""

from pathlib import Path

from stoker_runtime.fetch.manifest import NAME, damage, read_manifest


def weights_problem(folder: Path) -> str | None:
    """A sentence; None: nothing is wrong."""
    manifest = read_manifest(folder)
    if manifest is None:
        return f"{folder} has no readable {NAME}: the weights were not published, or the volume is another one."
    if problem := damage(folder, manifest):
        return f"{folder} is damaged: {problem}. Delete the folder, and the weights are fetched again."
    return None
