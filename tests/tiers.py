"""Runs every tier of checks that this machine can run, and says which it left out and why.

In CI nothing may be left out: a tier that cannot run there fails.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
STAGES = (
    (Tier("lint", (("make", "lint"),)),),
    # Neither waits much for anything but the processor, and two of them are the least that a machine has.
    (
        # The chart's templates are rendered by the helm that users have.
        Tier("unit", ((*CLUSTER, "build", "helm"), (*PYTEST, "tests/unit", "-q"))),
        # Built before the tests, so that minutes of building show their progress and no test's time-out counts them.
        Tier("integration", ((*CLUSTER, "assets"), (*PYTEST, "tests/integration", "-q"))),
    ),
    (
        Tier(
            "e2e",
            (
                (*CLUSTER, "packages", "--install"),
                (*CLUSTER, "build"),
                (
                    sys.executable,
                    "-m",
                    "e2e.images",
                    "build",
                    "vllm-cpu",
                    "simulated",
                    "operator",
                    "runtime",
                    "llamacpp",
                    "transformers",
                    "bentoml",
                ),
                (*PYTEST, "e2e", "-v"),
            ),
            _lacking_for_a_node,
        ),
    ),
)


@dataclass(frozen=True)
class Outcome:
    line: str
    passed: bool


def run(tier: Tier, in_ci: bool, alone: bool) -> Outcome:
    """Tiers that run beside each other say what they say when they are done."""
    if reason := tier.lacking():
        return Outcome(f"{tier.name}: left out, {reason}", not in_ci)
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        print(f"== {tier.name}" if alone else f"== {tier.name} (its output comes at its end)", flush=True)
        where = None if alone else said
        ran = (subprocess.run(each, cwd=ROOT, check=False, stdout=where, stderr=where) for each in tier.commands)
        passed = all(each.returncode == 0 for each in ran)
        if not alone:
            said.seek(0)
            print(f"== {tier.name}\n{said.read()}", flush=True)
    return Outcome(f"{tier.name}: {'passed' if passed else 'failed'} in {time.monotonic() - began:.0f} s", passed)


def main() -> int:
    in_ci = os.environ.get("CI") == "true"
    outcomes: list[Outcome] = []
    for stage in STAGES:
        with ThreadPoolExecutor(len(stage)) as pool:
            outcomes += pool.map(lambda tier: run(tier, in_ci, len(stage) == 1), stage)  # noqa: B023 - ends in this turn
    print("== summary", *(outcome.line for outcome in outcomes), sep="\n")
    return int(not all(outcome.passed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
