"""`stoker upgrade`: rolls newer defaults out, model by model or wave by wave."""

import argparse
from typing import TYPE_CHECKING

from stoker.cli import answer_options, cluster_options
from stoker.cli.input_error import InputError
from stoker.cli.numbers import whole

if TYPE_CHECKING:
    from stoker.cli.fleet.reading import Reader
    from stoker.cli.fleet.seen import Seen
    from stoker.cli.fleet.upgrading import Account

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
    answer_options.add_to(parser)
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
    import json  # noqa: PLC0415

    from stoker.cli.fleet.reading import reader  # noqa: PLC0415
    from stoker.cli.fleet.upgrading import Account  # noqa: PLC0415

    as_json = options.output == "json"
    account = Account(say=None if as_json else lambda line: print(line, flush=True))
    async with reader(options) as cluster:
        await _upgraded(cluster, options, account)
    if as_json:
        print(json.dumps(account.as_json(), indent=2, ensure_ascii=False))
    return 0 if account.good else 1


async def _upgraded(cluster: "Reader", options: argparse.Namespace, account: "Account") -> None:
    from stoker.cli.fleet.upgrading import State, has_update  # noqa: PLC0415

    models = [await cluster.model(name) for name in options.names] or list(await cluster.models())
    behind = [model for model in models if has_update(model)]
    for model in models:
        if options.names and not has_update(model):
            said = "has today's defaults, or its operator has not compared them yet"
            account.tell(model, State.UP_TO_DATE, said)
    if not behind and account.say:
        account.say("Nothing to upgrade.")
    for start in range(0, len(behind), options.wave):
        wave = behind[start : start + options.wave]
        if options.dry_run:
            for model in wave:
                account.tell(model, State.HAS_UPDATE, "would be upgraded")
        elif account.good:
            await _wave(cluster, wave, options.timeout, account)
        else:
            for model in wave:
                account.tell(model, State.NOT_BEGUN, "not begun")


async def _wave(cluster: "Reader", models: "list[Seen]", timeout_seconds: int, account: "Account") -> None:
    """Until all of them are Ready with the new defaults, or one cannot be."""
    import asyncio  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from stoker.cli.fleet.upgrading import State, Step, step  # noqa: PLC0415
    from stoker.cli.progress import ProgressLine  # noqa: PLC0415
    from stoker.core.names import RESTARTED_AT  # noqa: PLC0415
    from stoker.core.timestamp import timestamp  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    began, line, open_models = loop.time(), ProgressLine(), list(models)
    for model in models:
        await cluster.annotate(model, {RESTARTED_AT: timestamp(datetime.now(UTC))})
    while open_models and loop.time() - began < timeout_seconds:
        await asyncio.sleep(_LOOK_SECONDS)
        for before in list(open_models):
            at = step(before, await cluster.in_place_of(before))
            if at.step is Step.UNDER_WAY:
                line.show(1 - len(open_models) / len(models), f"{before.name}: {at.message}")
                continue
            line.clear()
            open_models.remove(before)
            state = State.UPGRADED if at.step is Step.DONE else State.FAILED
            account.tell(before, state, f"{at.message}, after {loop.time() - began:.0f} s")
    line.clear()
    for before in open_models:
        said = f"is not Ready after {timeout_seconds} s: see `stoker explain {before.name}`"
        account.tell(before, State.TIMED_OUT, said)


def _count(text: str) -> int:
    return whole(text, 1, 100_000)
