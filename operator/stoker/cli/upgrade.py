"""`stoker upgrade`: rolls newer defaults out, model by model or wave by wave."""

import argparse
from typing import TYPE_CHECKING

from stoker.cli import cluster_options
from stoker.cli.input_error import InputError
from stoker.cli.numbers import whole

if TYPE_CHECKING:
    from stoker.cli.fleet.reading import Reader
    from stoker.cli.fleet.seen import Seen

_LOOK_SECONDS = 2.0


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "upgrade",
        help="roll newer defaults out to models",
        description="Rolls out what the condition UpdateAvailable announces: the pods as this operator and its"
        " configuration would render them today. So many models at a time, each as its spec.rollout says; the next"
        " ones only when these are Ready. Stops at the first one that fails, and exits with 1 then.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="ModelDeployments")
    parser.add_argument("--all", action="store_true", help="every model that has an update")
    parser.add_argument("-n", "--namespace", metavar="NAME", help="(default: that of the context)")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="with --all: in all namespaces")
    parser.add_argument("--wave", type=_count, default=1, metavar="N", help="models at a time (default: 1)")
    parser.add_argument("--timeout", type=_count, default=3600, metavar="SECONDS", help="for each wave (default: 3600)")
    parser.add_argument("--dry-run", action="store_true", help="only say which models there are to upgrade")
    cluster_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick

    if options.all == bool(options.names):
        raise InputError(["name the models, or give --all, and not both"])
    if options.all_namespaces and not options.all:
        raise InputError(["--all-namespaces: goes with --all; with names, give -n"])
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    from stoker.cli.fleet.reading import reader  # noqa: PLC0415
    from stoker.cli.fleet.upgrading import has_update  # noqa: PLC0415

    async with reader(options) as cluster:
        models = [await cluster.model(name) for name in options.names] or list(await cluster.models())
        behind = [model for model in models if has_update(model)]
        for model in models:
            if options.names and not has_update(model):
                print(
                    f"{model.namespace}/{model.name}: has today's defaults, or its operator has not compared them yet"
                )
        if not behind:
            print("Nothing to upgrade.")
        elif options.dry_run:
            print(*(f"{model.namespace}/{model.name}: would be upgraded" for model in behind), sep="\n")
        else:
            for start in range(0, len(behind), options.wave):
                if not await _wave(cluster, behind[start : start + options.wave], options.timeout):
                    _tell_left(behind[start + options.wave :])
                    return 1
        return 0


async def _wave(cluster: "Reader", models: "list[Seen]", timeout_seconds: int) -> bool:
    """Whether all of them are Ready with the new defaults."""
    import asyncio  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from stoker.cli.fleet.upgrading import Step, step  # noqa: PLC0415
    from stoker.cli.progress import ProgressLine  # noqa: PLC0415
    from stoker.core.names import RESTARTED_AT  # noqa: PLC0415
    from stoker.core.timestamp import timestamp  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    began, line, open_models = loop.time(), ProgressLine(), list(models)
    for model in models:
        await cluster.annotate(model, {RESTARTED_AT: timestamp(datetime.now(UTC))})
    good = True
    while open_models and loop.time() - began < timeout_seconds:
        await asyncio.sleep(_LOOK_SECONDS)
        for before in list(open_models):
            at = step(before, await cluster.in_place_of(before))
            if at.step is Step.UNDER_WAY:
                line.show(1 - len(open_models) / len(models), f"{before.name}: {at.message}")
                continue
            line.clear()
            open_models.remove(before)
            good = good and at.step is Step.DONE
            print(f"{before.namespace}/{before.name}: {at.message}, after {loop.time() - began:.0f} s", flush=True)
    line.clear()
    for before in open_models:
        print(
            f"{before.namespace}/{before.name}: is not Ready after {timeout_seconds} s:"
            f" see `stoker explain {before.name}`"
        )
    return good and not open_models


def _tell_left(models: "list[Seen]") -> None:
    if models:
        print("not begun:", ", ".join(f"{model.namespace}/{model.name}" for model in models))


def _count(text: str) -> int:
    return whole(text, 1, 100_000)
