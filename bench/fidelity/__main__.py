"""`make bench-fidelity`: what the simulator predicts for real vLLM on the CPU, beside what is measured.

    python -m bench.fidelity [--rounds 5] [--seconds 30] [--calibration-seconds 30] [--image runtime]

Each round sends three loads, and calibrates the replica as `stoker calibrate` does before and after each; the simulator
gets the very arrivals and lengths, and what both calibrations of a load measured. A small work that is timed all the
while tells how fast the machine was in a load, beside its calibrations; the errors of all loads are told, and of those
in which it was the same.
Needs root and Linux. Prints the figures and keeps them under bench/results.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.circumstances import when_and_where
from bench.coldstart.image_root import image_root
from bench.coldstart.private_network import archive_inside
from bench.fidelity.engine import CONTEXT_TOKENS, MOST_SEQUENCES, STEP_TOKENS, URL, running
from bench.fidelity.machine_speed import MachineSpeed, machine_speed
from bench.fidelity.prediction import Answered, Level, Sent, level_of, predicted
from e2e.models.build import build as build_model
from stoker.cli.calibrate.endpoint import Endpoint
from stoker.cli.calibrate.measuring import Measured, Plan, measured
from stoker.cli.openai.server import prompt_of, session_with
from stoker.cli.openai.streaming import Streamed
from stoker.sim.calibration import Calibrated, calibrated

RESULTS = Path(__file__).parents[1] / "results"
MODEL = "small-llama"
LEVELS = (0.3, 0.6, 0.9)  # of what the replica carries when it is full
PROMPT_TOKENS, ANSWER_TOKENS = (16, 320), (8, 96)
GOAL = 0.15
STEADY = 0.03  # of the machine's speed, in a load beside its calibrations
Row = dict[str, Any]


async def calibration(seconds: float) -> Measured:
    plan = Plan((16, 64, 160, 320), most_streams=MOST_SEQUENCES + 4, answer_tokens=64, seconds=seconds)
    return await measured(URL, MODEL, plan)


def fitted(*found: Measured) -> Calibrated:
    alone = [one for each in found for one in each.alone]
    together = [one for each in found for one in each.together]
    return calibrated(alone, together, found[0].limits(None, STEP_TOKENS))


def full_rate(found: Calibrated) -> float:
    """Requests a second of a replica that runs as many as it may: n / (I·b_p + O·T(n)), prompts one after the other."""
    prompt, answer = sum(PROMPT_TOKENS) / 2, sum(ANSWER_TOKENS) / 2
    streams = found.replica.max_sequences
    cost = found.replica.cost
    step = cost.seconds(0, streams, round(streams * (prompt + answer / 2)))
    return streams / (answer * step + streams * cost.per_prompt_token_seconds * prompt)


async def words_of_a_token() -> float:
    async with session_with({}) as session:
        answer = await Endpoint(session, URL, MODEL).complete(prompt_of(random.Random(1), 64), 1)  # noqa: S311 - a probe
    return 64 / (answer.prompt_tokens or 64)


async def load(rate: float, seconds: float, seed: int) -> list[Streamed]:
    """An open loop: who comes does not wait for those before."""
    chance = random.Random(seed)  # noqa: S311 - draws a load, guards nothing
    loop = asyncio.get_running_loop()
    words = await words_of_a_token()
    began, at = loop.time(), 0.0
    tasks = []
    async with session_with({}) as session:
        endpoint = Endpoint(session, URL, MODEL)
        while (at := at + chance.expovariate(rate)) < seconds:
            prompt = prompt_of(chance, max(1, round(words * chance.randint(*PROMPT_TOKENS))))
            answer = chance.randint(*ANSWER_TOKENS)
            await asyncio.sleep(max(0.0, began + at - loop.time()))
            tasks.append(asyncio.create_task(endpoint.complete(prompt, answer)))
        return list(await asyncio.gather(*tasks))


def both(found: Calibrated, streamed: list[Streamed]) -> tuple[Level, Level]:
    """What is predicted, and what was measured."""
    streamed = sorted(streamed, key=lambda one: one.asked_at)
    began = streamed[0].asked_at
    sent = [Sent(one.asked_at - began, one.prompt_tokens or 0, one.tokens) for one in streamed]
    answered = [
        Answered(
            one.moments[0] - one.asked_at,
            (one.moments[-1] - one.moments[0]) / (one.tokens - 1) if one.tokens > 1 else None,
            one.moments[-1] - one.asked_at,
        )
        for one in streamed
    ]
    return level_of(sent, predicted(found.replica, sent, found.on_the_way_seconds)), level_of(sent, answered)


async def rounds(options: argparse.Namespace, machine: MachineSpeed) -> list[Row]:
    rows, moments = [], [time.monotonic()]
    before = await calibration(options.calibration_seconds)
    for number in range(options.rounds):
        for share in LEVELS:
            rate = share * full_rate(fitted(before))
            moments.append(time.monotonic())
            streamed = await load(rate, options.seconds, 100 * number + round(10 * share))
            moments.append(time.monotonic())
            after = await calibration(options.calibration_seconds)
            found = fitted(before, after)
            prediction, measurement = both(found, streamed)
            row = {
                "round": number + 1,
                "load": share,
                "requests": len(streamed),
                "rate": round(rate, 2),
                "machine load": round(os.getloadavg()[0], 1),
                "machine speed": round(speed_in_the_load(machine, [*moments, time.monotonic()]), 3),
                "cost": asdict(found.replica.cost),
                "predicted": asdict(prediction),
                "measured": asdict(measurement),
            }
            rows.append(row)
            print(line(row), flush=True)
            before, moments = after, moments[-1:]
    return rows


def speed_in_the_load(machine: MachineSpeed, moments: Sequence[float]) -> float:
    """Of that in the calibrations before and after it: moments are where the three begin, and the end."""
    before, during, after = (machine.between(begins, ends) for begins, ends in pairwise(moments))
    return 2 * during / (before + after)


def steady(row: Row) -> bool:
    return bool(abs(row["machine speed"] - 1.0) <= STEADY)


def line(row: Row) -> str:
    parts = [f"round {row['round']}, {100 * row['load']:.0f} % load, {row['requests']} requests:"]
    for name, unit in (("ttft_seconds", 1e3), ("itl_seconds", 1e3), ("in_flight", 1.0)):
        said, was = row["predicted"][name] * unit, row["measured"][name] * unit
        parts.append(f"{name.removesuffix('_seconds')} {said:.1f} for {was:.1f} ({100 * (said / was - 1):+.0f} %)")
    speed = f"the machine's speed {row['machine speed']:.2f} of that in the calibrations"
    return " ".join(parts) + f", {speed}, machine load {row['machine load']}"


def summary(rows: list[Row]) -> dict[str, dict[str, float]]:
    """The median of the relative errors, over all rounds, of each load and of all."""
    found: dict[str, dict[str, float]] = {}
    for name in ("ttft_seconds", "itl_seconds", "in_flight"):
        of_load: dict[str, list[float]] = {}
        for row in rows:
            error = abs(row["predicted"][name] / row["measured"][name] - 1.0)
            of_load.setdefault(f"{100 * row['load']:.0f} %", []).append(error)
        all_errors = [error for errors in of_load.values() for error in errors]
        found[name] = {load: round(median(errors), 3) for load, errors in (of_load | {"all": all_errors}).items()}
    return found


def report(rows: list[Row], options: argparse.Namespace) -> None:
    kept = {"all": rows, f"steady within {100 * STEADY:.0f} %": [row for row in rows if steady(row)]}
    errors = {which: summary(of_which) for which, of_which in kept.items() if of_which}
    for which, of_name in errors.items():
        print(f"loads, {which}: {len(kept[which])}")
        for name, of_load in of_name.items():
            said = ", ".join(f"{load}: {100 * error:.0f} %" for load, error in of_load.items())
            print(f"  {name.removesuffix('_seconds')}: median error at a load of {said}{verdict(name, of_load)}")
    RESULTS.mkdir(exist_ok=True)
    engine = f"vLLM on the CPU, one thread, {MOST_SEQUENCES} sequences, {CONTEXT_TOKENS} tokens of context"
    figures = {**when_and_where(), "engine": engine, "seconds": options.seconds, "median errors": errors, "rows": rows}
    (RESULTS / "fidelity.json").write_text(json.dumps(figures, indent=1) + "\n")


def verdict(name: str, error_of_load: dict[str, float]) -> str:
    """At each load, not only over all of them."""
    if name == "in_flight":
        return ""
    return f" (goal {100 * GOAL:.0f} % at each: {'met' if max(error_of_load.values()) <= GOAL else 'MISSED'})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each load")
    parser.add_argument("--calibration-seconds", type=float, default=30.0, help="of each calibration")
    parser.add_argument("--image", default="runtime", help="of `python -m e2e.images list`, with vLLM in it")
    options = parser.parse_args()
    archive = archive_inside("bench.fidelity", options.image)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        build_model(MODEL, Path(folder, "model"))
        with (
            image_root(archive, Path(folder, "model")) as root,
            running(root, Path(folder, "log")),
            machine_speed() as machine,
        ):
            rows = asyncio.run(rounds(options, machine))
    report(rows, options)


if __name__ == "__main__":
    main()
