"""`stoker simulate`: what a scaling policy would make of a trace, without a cluster or a GPU."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stoker.cli import answer_options
from stoker.cli.input_error import InputError

if TYPE_CHECKING:
    from stoker.sim.result import Result
    from stoker.sim.setup import Setup
    from stoker.sim.trace import Trace
    from stoker_runtime.simulated.timing import Replica

_GPUS = ("h100-8b", "a100-8b", "l40s-8b")
_POLICIES = "stoker, hpa, keda, kpa, kubeai, aibrix, wva, dynamo, static or clairvoyant"
_ROUTERS = ("least-load", "random", "sticky")


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "simulate",
        help="simulate a scaling policy on a trace",
        description="Simulates replicas with continuous batching under the requests of a trace, and a policy that"
        " scales them. Needs neither a cluster nor a GPU. Stoker decides with the code that the operator runs, the"
        " others by their documented rules.",
    )
    load = parser.add_mutually_exclusive_group(required=True)
    load.add_argument("--trace", metavar="FILE", help="CSV with arrival_s,prompt_tokens,output_tokens[,prefix]")
    load.add_argument("--workload", metavar="NAME", help="a generated one, such as spike or diurnal")
    parser.add_argument("--policy", default="stoker", metavar="NAME", help=f"{_POLICIES} (default: stoker)")
    parser.add_argument("--compare", action="store_true", help="run every policy on the trace, at its defaults")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", dest="knobs", help="a knob of the policy"
    )
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--gpu", choices=_GPUS, default="l40s-8b", help="and the size of the model (default: l40s-8b)")
    speed.add_argument("--gpu-profile", metavar="FILE", help="of a replica that `stoker calibrate` has measured")
    parser.add_argument(
        "--cold-start", type=_seconds, default=60.0, metavar="SECONDS", help="of a replica (default: 60)"
    )
    parser.add_argument("--wake", type=_seconds, default=3.0, metavar="SECONDS", help="of a sleeper (default: 3)")
    parser.add_argument("--warm", type=_count, default=0, metavar="N", help="replicas kept warm (default: 0)")
    parser.add_argument("--asleep", type=_count, default=0, metavar="N", help="replicas kept asleep (default: 0)")
    parser.add_argument("--max", type=_count, default=40, metavar="N", help="most replicas (default: 40)")
    parser.add_argument(
        "--slo-ttft", type=_seconds, default=2.0, metavar="SECONDS", help="to a first token (default: 2)"
    )
    parser.add_argument(
        "--slo-itl", type=_seconds, default=0.1, metavar="SECONDS", help="mean between tokens (default: 0.1)"
    )
    parser.add_argument("--router", choices=_ROUTERS, default="least-load", help="(default: least-load)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all that is drawn (default: 1)")
    answer_options.add_to(parser)
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the time line; with --compare the costs as well")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import time  # noqa: PLC0415 - start-up must be quick

    from stoker.sim.policies import NAMES, PolicyError, Situation, policy  # noqa: PLC0415
    from stoker.sim.trace import TraceError  # noqa: PLC0415
    from stoker.sim.world import Model, simulate  # noqa: PLC0415

    if options.plot and not options.plot.endswith(".svg"):
        raise InputError([f"--plot {options.plot}: plots are SVG: give a name that ends in .svg"])
    if options.compare and options.knobs:
        raise InputError(["--set: is for one policy, and --compare runs them all: leave one of them out"])
    knobs = _knobs(options.knobs)
    setup = _setup(options)
    try:
        situation = Situation(_trace(options), setup)
        began = time.perf_counter()
        names = NAMES if options.compare else (options.policy,)
        results = [
            simulate(
                Model(situation.trace, policy(name, situation, knobs), setup), options.seed, timeline=bool(options.plot)
            )
            for name in names
        ]
    except TraceError as wrong:
        raise InputError(wrong.problems) from wrong
    except PolicyError as wrong:
        raise InputError([str(wrong)]) from wrong
    seconds = time.perf_counter() - began
    if options.output == "json":
        print(_json(results))
    else:
        print(_table(results) if options.compare else _text(results[0]))
        simulated = situation.trace.duration_seconds * len(results)
        print(f"\n{simulated:.0f} s simulated in {seconds:.1f} s: {simulated / seconds:.0f} times real time")
    if options.plot:
        _draw(options.plot, results)
    return 0


def _setup(options: argparse.Namespace) -> "Setup":
    from stoker.sim.capacity import GPUS  # noqa: PLC0415
    from stoker.sim.setup import Objective, Routing, Setup, Starting, Way  # noqa: PLC0415

    if options.max < 1:
        raise InputError(["--max: must be at least 1"])
    if options.warm + options.asleep >= options.max:
        raise InputError(
            [f"--max {options.max}: leaves no replica to serve beside {options.warm} warm and {options.asleep} asleep"]
        )
    product, replica = options.gpu.split("-", maxsplit=1)[0], GPUS[options.gpu]
    if options.gpu_profile:
        product, replica = _profile(options.gpu_profile)
    return Setup(
        replica=replica,
        product=product,
        objective=Objective(options.slo_ttft, options.slo_itl),
        maximum=options.max,
        warm=options.warm,
        asleep=options.asleep,
        starting=Starting(cold_seconds=options.cold_start, wake_seconds=options.wake),
        way=Way(routing=Routing(options.router)),
    )


def _profile(name: str) -> "tuple[str, Replica]":
    from stoker.sim.profile import ProfileError, from_json  # noqa: PLC0415

    try:
        return from_json(Path(name).read_text(encoding="utf-8"))
    except ProfileError as wrong:
        raise InputError([f"--gpu-profile {name}: {problem}" for problem in wrong.problems]) from wrong
    except OSError as failed:
        raise InputError([f"--gpu-profile {name}: {failed.strerror}: give what `stoker calibrate` wrote"]) from failed
    except UnicodeDecodeError as broken:
        raise InputError([f"--gpu-profile {name}: is not text: give what `stoker calibrate` wrote"]) from broken


def _trace(options: argparse.Namespace) -> "Trace":
    from stoker.sim.trace import trace_from_csv  # noqa: PLC0415
    from stoker.sim.workloads import WORKLOADS  # noqa: PLC0415

    if options.workload:
        if options.workload not in WORKLOADS:
            raise InputError([f"--workload {options.workload}: there is none: choose of {', '.join(WORKLOADS)}"])
        return WORKLOADS[options.workload].trace(options.seed)
    path = Path(options.trace)
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return trace_from_csv(path.name, lines)
    except OSError as failed:
        raise InputError([f"--trace {path}: {failed.strerror}: give the path of a CSV file"]) from failed
    except UnicodeDecodeError as broken:
        raise InputError([f"--trace {path}: is not text: give a CSV file"]) from broken


def _knobs(given: list[str]) -> dict[str, float]:
    knobs = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            knobs[name.strip().replace("-", "_")] = float(value)
        except ValueError:
            raise InputError([f"--set {text}: must be a knob and a number, such as target=50"]) from None
    return knobs


def _text(result: "Result") -> str:
    def seconds(value: float | None) -> str:
        return "none" if value is None else f"{value:.2f} s"

    tiers = ", ".join(f"{tier} {hours:.2f}" for tier, hours in result.gpu_hours_by_tier.items() if hours)
    p50, p95, p99 = result.ttft_p50_seconds, result.ttft_p95_seconds, result.ttft_p99_seconds
    lines = (
        ("policy", result.policy),
        ("trace", f"{result.trace}, {result.arrived} requests, {result.measured} of them measured"),
        ("inside the objective", f"{100 * result.share:.2f} %"),
        ("by the p95 of the gaps", f"{100 * result.share_by_p95_gap:.2f} %"),
        (
            "time to first token",
            ", ".join((f"p50 {seconds(p50)}", f"p95 {seconds(p95)}", f"p99 {seconds(p99)}")),
        ),
        ("GPU-hours", f"{result.gpu_hours:.2f} ({tiers})"),
        ("scaling actions", f"{result.actions}"),
        ("reversals within 300 s", f"{result.reversals} of {result.direction_changes} changes of direction"),
        ("requests cut", f"{result.cut}"),
        ("requests unfinished", f"{result.unfinished}"),
    )
    return "\n".join(f"{name:<24}{value}" for name, value in lines)


def _table(results: "list[Result]") -> str:
    def seconds(value: float | None) -> str:
        return "none" if value is None else f"{value:.2f}"

    heads = f"{'policy':<14}{'% inside':>9}{'GPU-hours':>11}{'p50 s':>8}{'p95 s':>8}{'p99 s':>8}"
    lines = [f"{heads}{'actions':>9}{'reversals':>11}{'cut':>6}{'unfinished':>12}"]
    for one in sorted(results, key=lambda result: (-round(result.share, 4), result.gpu_hours)):
        p50, p95, p99 = (seconds(value) for value in (one.ttft_p50_seconds, one.ttft_p95_seconds, one.ttft_p99_seconds))
        lines.append(
            f"{one.policy:<14}{100 * one.share:>9.2f}{one.gpu_hours:>11.2f}{p50:>8}{p95:>8}{p99:>8}"
            f"{one.actions:>9}{one.reversals:>11}{one.cut:>6}{one.unfinished:>12}"
        )
    return "\n".join(lines)


def _json(results: "list[Result]") -> str:
    import json  # noqa: PLC0415
    from dataclasses import asdict  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    for result in results:
        row = asdict(result)
        del row["moments"]
        rows.append(row)
    return json.dumps(rows[0] if len(rows) == 1 else rows, indent=2)


def _draw(name: str, results: "list[Result]") -> None:
    from stoker.sim.plot import Series, comparison, svg, timeline  # noqa: PLC0415

    panels = [timeline(result) for result in results]
    if len(results) > 1:
        points = [Series(one.policy, [(one.gpu_hours, 100 * one.share)], joined=False) for one in results]
        panels.insert(0, comparison(f"{results[0].trace}: what each policy costs and reaches", points))
    try:
        Path(name).write_text(svg(panels), encoding="utf-8")
    except OSError as failed:
        raise InputError([f"--plot {name}: {failed.strerror}: give a file in a folder that exists"]) from failed


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value
