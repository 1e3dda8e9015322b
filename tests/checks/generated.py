"""Fails where a generated file is not what `make generate` writes."""

import difflib
import subprocess
import sys
import tempfile
from pathlib import Path

from stoker.api.schema.__main__ import generate as generate_from_the_api
from stoker.telemetry.__main__ import generate as generate_from_the_metrics

ROOT = Path(__file__).parents[2]


def generate(root: Path) -> None:
    generate_from_the_api(root)
    generate_from_the_metrics(root)


def drift() -> list[str]:
    """A unified diff for each generated file that differs from the one in the repository, or that is not in it."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        differences = []
        for path in sorted(path for path in fresh.rglob("*") if path.is_file()):
            name = path.relative_to(fresh)
            committed = ROOT / name
            found = committed.read_text(encoding="utf-8").splitlines() if committed.exists() else []
            wanted = path.read_text(encoding="utf-8").splitlines()
            diff = difflib.unified_diff(found, wanted, str(name), f"{name} (generated)", lineterm="", n=1)
            if text := "\n".join(diff):
                differences.append(text)
        return differences


def stray() -> list[str]:
    """Generated files that nothing generates any more."""
    tracked = subprocess.run(
        ["git", "ls-files", "crds", "docs/reference", "charts/stoker/files"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        return [name for name in tracked if not (Path(folder) / name).exists() and (ROOT / name).exists()]


if __name__ == "__main__":
    problems = drift() + [f"{name}: nothing generates it, remove it" for name in stray()]
    for problem in problems:
        print(problem)
    if problems:
        sys.exit("Generated files differ from the models: run `make generate` and commit the result.")
    print("Generated files are up to date.")
