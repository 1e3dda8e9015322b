"""Runs every tier of checks that this machine can run, and says which it left out and why.

In CI nothing may be left out: a tier that cannot run there fails.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Tier:
    """One tier: the commands that prepare and run it, and what this machine lacks for it (nothing, if it can run)."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    lacking: Callable[[], str | None] = lambda: None


def _lacking_for_a_node() -> str | None:
    if sys.platform != "linux":
        return "the one-node cluster needs Linux"
    if os.geteuid() != 0:
        return "the one-node cluster needs root: run `sudo make test` for this tier"
    return None


PYTEST = (sys.executable, "-m", "pytest")
CLUSTER = (sys.executable, "-m", "e2e.cluster")
TIERS = (
    Tier("lint", (("make", "lint"),)),
    # The chart's templates are rendered by the helm that users have.
    Tier("unit", ((*CLUSTER, "build", "helm"), (*PYTEST, "tests/unit", "-q"))),
    # Built before the tests, so that minutes of building show their progress and no test's time-out counts them.
    Tier("integration", ((*CLUSTER, "assets"), (*PYTEST, "tests/integration", "-q"))),
    Tier(
        "e2e",
        (
            (*CLUSTER, "packages", "--install"),
            (*CLUSTER, "build"),
            (sys.executable, "-m", "e2e.images", "build", "vllm-cpu", "simulated", "operator", "runtime", "llamacpp"),
            (*PYTEST, "e2e", "-v"),
        ),
        _lacking_for_a_node,
    ),
)


def main() -> int:
    in_ci = os.environ.get("CI") == "true"
    outcomes = []
    failed = False
    for tier in TIERS:
        if reason := tier.lacking():
            outcomes.append(f"{tier.name}: left out, {reason}")
            failed = failed or in_ci
            continue
        print(f"== {tier.name}", flush=True)
        began = time.monotonic()
        passed = all(subprocess.run(command, cwd=ROOT, check=False).returncode == 0 for command in tier.commands)
        outcomes.append(f"{tier.name}: {'passed' if passed else 'failed'} in {time.monotonic() - began:.0f} s")
        failed = failed or not passed
    print("== summary", *outcomes, sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
