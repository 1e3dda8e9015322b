"""`stoker explain NAME`: why a model is as it is, and what would change it."""

import argparse

from stoker.cli import answer_options, model_options


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "explain",
        help="say why a model is as it is",
        description="Says what the last scaling decision was and what it was made of, what the conditions mean and what"
        " to do about them, what happened lately, and what would change the number of replicas.",
    )
    model_options.add_to(parser, many=False)
    answer_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick

    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    import json  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from stoker.cli.fleet.account import Account, as_json, happenings  # noqa: PLC0415
    from stoker.cli.fleet.explanation import text  # noqa: PLC0415
    from stoker.cli.fleet.reading import reader  # noqa: PLC0415
    from stoker.cli.paint import paint_for  # noqa: PLC0415

    async with reader(options) as cluster:
        model = await cluster.model(options.name)
        events = await cluster.events(model)
    account = Account(model, None if events is None else happenings(events), datetime.now(UTC))
    if options.output == "json":
        print(json.dumps(as_json(account), indent=2, ensure_ascii=False))
    else:
        print(text(account, paint_for()))
    return 0
