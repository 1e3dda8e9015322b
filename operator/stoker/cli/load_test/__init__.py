"""`stoker load-test URL`: latency against concurrency, of any server that speaks OpenAI's API."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stoker.cli import answer_options
from stoker.cli.input_error import InputError
from stoker.cli.numbers import seconds, whole
from stoker.cli.openai import options as of_server

if TYPE_CHECKING:
    from stoker.cli.load_test.course import Course
    from stoker.cli.load_test.measured import Level
    from stoker.cli.progress import ProgressLine


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "load-test",
        help="measure latency against concurrency",
        description="Keeps 1, then 10, then 50 streaming requests under way at a server that speaks OpenAI's API, and"
        " tells for each level what its clients saw. Says first what it will send. Every level ends, by --requests,"
        " --seconds or both. Exits with 1 if a request failed. Point it at your own servers only: it is a load.",
    )
    of_server.add_to(parser, "base address, such as http://llama-8b.models.svc/v1")
    parser.add_argument("--concurrency", default="1,10,50", metavar="N,N,…", help="(default: 1,10,50)")
    parser.add_argument("--requests", type=_whole(1, 100_000), metavar="N", help="of each level")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="time in which a level sends new requests")
    parser.add_argument(
        "--prompt-tokens", type=_whole(1, 1_000_000), default=256, metavar="N", help="more or less (default: 256)"
    )
    parser.add_argument("--output-tokens", type=_whole(1, 100_000), default=128, metavar="N", help="(default: 128)")
    parser.add_argument(
        "--ends-early",
        action="store_true",
        help="let the model end an answer where it wants, and send no `ignore_eos`, which some servers refuse",
    )
    parser.add_argument(
        "--longest", type=_seconds, default=120.0, metavar="S", help="time after which a request failed (default: 120)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the prompts (default: another each time)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    answer_options.add_to(parser)
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the levels")
    parser.add_argument("--report", metavar="FILE.html", help="write one page with figures and drawing")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick

    _check(options)
    done: list[Level] = []
    courses: list[Course] = []
    try:
        asyncio.run(_drive(options, courses, done))
    except KeyboardInterrupt:
        if not done:
            raise
        _tell(options, courses[0], done)  # what was measured so far is worth telling
        raise
    if options.dry_run:
        return 0
    _tell(options, courses[0], done)
    return 1 if any(level.errors for level in done) else 0


def _check(options: argparse.Namespace) -> None:
    """All that is wrong with the command line, before anything is sent."""
    from stoker.cli.load_test.course import levels_in  # noqa: PLC0415

    problems = of_server.problems(options)
    try:
        levels_in(options.concurrency)
    except ValueError as wrong:
        problems.append(f"--concurrency {wrong}")
    if options.requests is None and options.seconds is None:
        problems.append("a load needs an end: give --requests N or --seconds S")
    if options.plot and not options.plot.endswith(".svg"):
        problems.append(f"--plot {options.plot}: plots are SVG: give a name that ends in .svg")
    for flag, name in (("--plot", options.plot), ("--report", options.report)):
        if name and not Path(name).absolute().parent.is_dir():
            problems.append(f"{flag} {name}: give a file in a folder that exists")
    if problems:
        raise InputError(problems)


async def _drive(options: argparse.Namespace, courses: "list[Course]", done: "list[Level]") -> None:
    """Fills the two lists, so that what was measured is there when it is interrupted."""
    import sys  # noqa: PLC0415

    from stoker.cli.load_test.course import Course, levels_in  # noqa: PLC0415
    from stoker.cli.load_test.driving import levels  # noqa: PLC0415
    from stoker.cli.openai.server import base_address, model_served, session_with  # noqa: PLC0415
    from stoker.cli.progress import ProgressLine  # noqa: PLC0415

    base = base_address(options.url)
    line = ProgressLine()
    async with session_with(of_server.headers(options)) as session:
        course = Course(
            base=base,
            model=options.model or await model_served(session, base),
            levels=levels_in(options.concurrency),
            prompt_tokens=options.prompt_tokens,
            output_tokens=options.output_tokens,
            requests=options.requests,
            seconds=options.seconds,
            longest_seconds=options.longest,
            ends_early=options.ends_early,
        )
        courses.append(course)
        # Beside the answer where that is JSON, which must stay JSON.
        print(*course.announcement(), "", sep="\n", flush=True, file=sys.stderr if options.output == "json" else None)
        if options.dry_run:
            return
        try:
            async for level in levels(session, course, options.seed, _shown_on(line, course)):
                done.append(level)
        finally:
            line.clear()


def _shown_on(line: "ProgressLine", course: "Course") -> Callable[[int, int, float], None]:
    def show(at_once: int, ended: int, seconds: float) -> None:
        by_count = ended / course.requests if course.requests else 0.0
        by_time = seconds / course.seconds if course.seconds else 0.0
        line.show(max(by_count, by_time), f"{at_once} at once: {ended} answered in {seconds:.0f} s")

    return show


def _tell(options: argparse.Namespace, course: "Course", done: "list[Level]") -> None:
    import json  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from stoker.cli.load_test.report import as_json, drawing, page, text  # noqa: PLC0415
    from stoker.cli.paint import paint_for  # noqa: PLC0415

    if options.output == "json":
        print(json.dumps(as_json(course, done), indent=2, ensure_ascii=False))
    else:
        print(text(done, paint_for()))
    if options.plot:
        _write("--plot", options.plot, drawing(course, done))
    if options.report:
        _write("--report", options.report, page(course, done, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")))


def _write(flag: str, name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as failed:
        raise InputError([f"{flag} {name}: {failed.strerror}: give another file"]) from failed


def _whole(least: int, most: int) -> Callable[[str], int]:
    return lambda text: whole(text, least, most)


def _seconds(text: str) -> float:
    return seconds(text, 0.1, 3600)
