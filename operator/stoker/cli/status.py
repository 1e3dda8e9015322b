"""`stoker status`: every model on one screen."""

import argparse

from stoker.cli import answer_options, live_screen, model_options


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "status",
        help="show every model on one screen",
        description="Shows models, their replicas wanted and ready, requests that run and wait, accelerators in use,"
        " and the one statement that matters most. Exits with 0 if every model is Ready, and with 1 if one is not. The"
        " operator writes numbers that only move with the load every 30 s.",
    )
    model_options.add_to(parser, many=True)
    parser.add_argument("-w", "--watch", action="store_true", help="print again whenever something changed")
    answer_options.add_to(parser)
    live_screen.add_interval(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick

    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415
    import json  # noqa: PLC0415

    from stoker.cli.fleet.reading import reader  # noqa: PLC0415
    from stoker.cli.fleet.screen import as_json, status_text  # noqa: PLC0415
    from stoker.cli.paint import paint_for  # noqa: PLC0415

    shown = ""
    async with reader(options) as cluster:
        while True:
            fleet = await cluster.fleet(options.name)
            if options.output == "json":
                text = json.dumps(as_json(fleet), indent=None if options.watch else 2, ensure_ascii=False)
            else:
                text = status_text(fleet, live_screen.width(), paint_for())
            if text != shown:
                print(text if not shown or options.output == "json" else f"\n{text}", flush=True)
                shown = text
            if not options.watch:
                return 0 if all(model.is_ready for model in fleet.models) else 1
            await asyncio.sleep(options.interval)
