"""`stoker calibrate`: how fast a replica that runs somewhere is, as a profile for `stoker simulate`."""

import argparse

from stoker.cli.input_error import InputError
from stoker.cli.openai import options as of_server


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "calibrate",
        help="measure a replica for `stoker simulate`",
        description="Asks one replica with an OpenAI endpoint for completions, alone and many at once, fits the cost of"
        " its steps, and prints a profile that `stoker simulate --gpu-profile` takes. Nobody else should use the"
        " replica meanwhile.",
    )
    of_server.add_to(parser, "of one replica, such as http://127.0.0.1:8000/v1")
    parser.add_argument("--seconds", type=_whole, default=60, metavar="N", help="that it may take (default: 60)")
    parser.add_argument(
        "--prompts",
        type=_lengths,
        default=(32, 256, 512, 1024, 2048),
        metavar="N,N…",
        help="lengths of prompts in tokens, about (default: 32,256,512,1024,2048)",
    )
    parser.add_argument("--most", type=_whole, default=64, metavar="N", help="streams at once, at most (default: 64)")
    parser.add_argument("--answer", type=_whole, default=48, metavar="TOKENS", help="of each stream (default: 48)")
    parser.add_argument(
        "--step-tokens", type=_whole, default=2048, metavar="N", help="vLLM's max_num_batched_tokens (default: 2048)"
    )
    parser.add_argument("--kv-tokens", type=_whole, metavar="N", help="(default: what the engine's /metrics say)")
    parser.add_argument("--name", default="calibrated", help="of the profile (default: calibrated)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the profile there instead of printing it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick
    import sys  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from stoker.cli.calibrate.measuring import Plan, measured  # noqa: PLC0415
    from stoker.cli.openai.server import base_address  # noqa: PLC0415
    from stoker.sim.calibration import CalibrationError, calibrated  # noqa: PLC0415
    from stoker.sim.profile import to_json  # noqa: PLC0415

    if problems := of_server.problems(options):
        raise InputError(problems)
    plan = Plan(options.prompts, options.most, options.answer, float(options.seconds))
    try:
        found = asyncio.run(measured(base_address(options.url), options.model, plan, of_server.headers(options)))
        limits = found.limits(options.kv_tokens, options.step_tokens)
        fitted = calibrated(found.alone, found.together, limits)
    except CalibrationError as failed:
        raise InputError([f"{options.url}: {failed}: give it more --seconds"]) from failed
    for line in found.remarks(fitted, limits):
        print(line, file=sys.stderr)
    text = to_json(options.name, fitted.replica, found.about(fitted))
    if not options.output:
        print(text, end="")
        return 0
    try:
        Path(options.output).write_text(text, encoding="utf-8")
    except OSError as failed:
        raise InputError([f"--output {options.output}: {failed.strerror}: give a file in a folder"]) from failed
    return 0


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def _lengths(text: str) -> tuple[int, ...]:
    lengths = tuple(sorted({_whole(part.strip()) for part in text.split(",")}))
    if len(lengths) < 2:
        raise argparse.ArgumentTypeError(f"{text}: two lengths at least tell a prompt's cost from a step's")
    return lengths
