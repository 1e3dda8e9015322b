"""`stoker top`: the fleet, live."""

import argparse

from stoker.cli import live_screen, model_options


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "top",
        help="watch the fleet live",
        description="Shows the models that hold the most accelerators first, with their replicas by tier and the load"
        " of a replica, and draws them anew every few seconds until Ctrl-C. Where nobody looks at a terminal,"
        " it prints once.",
    )
    model_options.add_to(parser, many=True)
    live_screen.add_interval(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick

    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from stoker.cli.fleet.reading import reader  # noqa: PLC0415
    from stoker.cli.fleet.top import top_text  # noqa: PLC0415
    from stoker.cli.input_error import InputError  # noqa: PLC0415
    from stoker.cli.paint import is_terminal, paint_for  # noqa: PLC0415

    paint = paint_for()
    async with reader(options) as cluster:
        fleet = await cluster.fleet(options.name)
        if not is_terminal():
            print(top_text(fleet, None, paint))
            return 0
        trouble = ""
        with live_screen.whole_terminal():
            while True:
                now = datetime.now(UTC).strftime("%H:%M:%S UTC")
                heads = f"{now}, every {options.interval:g} s, Ctrl-C ends{trouble}\n\n"
                live_screen.draw(heads + top_text(fleet, live_screen.width(), paint))
                await asyncio.sleep(options.interval)
                try:
                    fleet, trouble = await cluster.fleet(options.name), ""
                except InputError as failed:  # it may come back, and the last picture is worth more than none
                    trouble = f" - shown as it was before: {failed.problems[0]}"
