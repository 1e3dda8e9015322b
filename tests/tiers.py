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
# Files of tests side by side, as many as keep two processors busy, which are the least that a machine has: much of a
# test is waiting. In the order of the collection, which would be by their number of tests otherwise.
SIDE_BY_SIDE = ("--dist", "loadfile", "--no-loadscope-reorder")
THREE, FOUR = ("-n", "3", *SIDE_BY_SIDE), ("-n", "4", *SIDE_BY_SIDE)
# It counts what a cluster leaves behind, so that no other may come or go meanwhile.
OF_THE_WHOLE_MACHINE = "e2e/cluster/tests/test_lifecycle.py"
IMAGES = ("vllm-cpu", "simulated", "operator", "runtime", "llamacpp", "ollama", "transformers", "bentoml")
TIERS = (
    Tier("lint", (("make", "lint"),)),
    # What the tests run beside themselves, such as Prometheus.
    Tier("packages", ((*CLUSTER, "packages", "--install"),), _lacking_for_a_node),
    # The chart's templates are rendered by the helm that users have.
    Tier("unit", ((*CLUSTER, "build", "helm"), (*PYTEST, "tests/unit", "-q", *THREE))),
    # Built before the tests, so that minutes of building show their progress and no test's time-out counts them.
    Tier(
        "integration",
        (
            (*CLUSTER, "assets"),
            (*CLUSTER, "build", "kstatus"),
            (*PYTEST, "tests/integration", "-q", *FOUR),
        ),
    ),
    Tier(
        "e2e",
        (
            (*CLUSTER, "build"),
            (sys.executable, "-m", "e2e.images", "build", *IMAGES),
            (*PYTEST, OF_THE_WHOLE_MACHINE, "-v"),
            (*PYTEST, "e2e", "-v", f"--ignore={OF_THE_WHOLE_MACHINE}", *THREE),
        ),
        _lacking_for_a_node,
    ),
)


@dataclass(frozen=True)
class Outcome:
    line: str
    passed: bool


def run(tier: Tier, in_ci: bool) -> Outcome:
    if reason := tier.lacking():
        return Outcome(f"{tier.name}: left out, {reason}", not in_ci)
    began = time.monotonic()
    print(f"== {tier.name}", flush=True)
    passed = all(subprocess.run(command, cwd=ROOT, check=False).returncode == 0 for command in tier.commands)
    return Outcome(f"{tier.name}: {'passed' if passed else 'failed'} in {time.monotonic() - began:.0f} s", passed)


def main() -> int:
    in_ci = os.environ.get("CI") == "true"
    outcomes = [run(tier, in_ci) for tier in TIERS]
    print("== summary", *(outcome.line for outcome in outcomes), sep="\n")
    return int(not all(outcome.passed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
