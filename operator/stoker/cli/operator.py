"""`stoker operator`: the process that the chart runs."""

import argparse
import sys
from typing import NoReturn

from stoker.cli import cluster_options, configuration_options
from stoker.cli.input_error import InputError

FAILED = 1
COLLECTED_EVERY = (50_000, 20, 20)


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "operator",
        help="run the operator",
        description="Runs the operator: stands by until it leads, then keeps every ModelDeployment as specified."
        " SIGTERM ends it in order.",
    )
    configuration_options.add_to(parser)
    cluster_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> NoReturn:
    """Ends the process."""
    import asyncio  # noqa: PLC0415 - start-up must be quick
    import gc  # noqa: PLC0415
    import logging  # noqa: PLC0415
    import os  # noqa: PLC0415
    import socket  # noqa: PLC0415
    from importlib.metadata import version  # noqa: PLC0415

    from kubernetes.aio.client import Configuration as Credentials  # noqa: PLC0415

    from stoker.cli.control_key import control_key  # noqa: PLC0415
    from stoker.handlers.health import PortTakenError  # noqa: PLC0415
    from stoker.handlers.log import set_up  # noqa: PLC0415
    from stoker.handlers.process import Place, run_operator  # noqa: PLC0415

    # What was imported stays, and the pages of a LIST have no cycles: the search for some took more than half of the
    # time that it takes to read 5,000 pods.
    gc.freeze()
    gc.set_threshold(*COLLECTED_EVERY)
    configuration = configuration_options.loaded(options).configuration
    set_up(configuration.log)
    key = control_key(configuration.agent.key_file)

    async def start() -> int:
        cluster = await cluster_options.cluster_of(options)

        async def credentials() -> Credentials:
            return (await cluster_options.cluster_of(options)).credentials

        place = Place(
            credentials,
            namespace=os.environ.get("POD_NAMESPACE") or cluster.namespace,
            pod_name=os.environ.get("POD_NAME") or socket.gethostname(),
            version=version("stoker"),
            control_key=key,
        )
        return await run_operator(configuration, place)

    runner = asyncio.Runner()
    try:
        code = runner.run(start())
    except (InputError, PortTakenError) as wrong:
        runner.close()
        raise (wrong if isinstance(wrong, InputError) else InputError([str(wrong)])) from None
    except Exception:
        logging.getLogger(__name__).exception("the operator failed")
        code = FAILED
    # All of ours is closed by now. What is left in the loop is kopf's: it writes nothing, takes seconds to end, and
    # never ends where its helpers are cancelled, as the loop's own end would, while it waits for them.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
