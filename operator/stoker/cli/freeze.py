"""`stoker freeze` and `stoker thaw`: no scaling and no rollouts in the whole fleet, until it is thawed."""

import argparse
from typing import TYPE_CHECKING

from stoker.cli import cluster_options
from stoker.cli.input_error import InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stoker.kube.connection import Connection

    Work = Callable[[Connection, str], Awaitable[None]]

_NAMESPACE = "stoker-system"


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    freezing = subparsers.add_parser(
        "freeze",
        help="stop scaling and rollouts of the whole fleet",
        description="Stops scaling and rollouts of all models of one operator. What dies is replaced, traffic is"
        " served, and conditions say ScalingFrozen. A second freeze changes the reason.",
    )
    freezing.add_argument("--reason", default="", metavar="TEXT", help="shown in the conditions of each model")
    freezing.set_defaults(run=freeze)
    thawing = subparsers.add_parser(
        "thaw", help="end a freeze", description="Ends a freeze: what was held back is done."
    )
    thawing.set_defaults(run=thaw)
    for parser in (freezing, thawing):
        parser.add_argument("--operator-namespace", default=_NAMESPACE, metavar="NAME", help="(default: %(default)s)")
        cluster_options.add_to(parser)


def freeze(options: argparse.Namespace) -> int:
    from stoker.core.names import FIELD_MANAGER, FREEZE_CONFIG_MAP, FREEZE_REASON  # noqa: PLC0415 - start-up is quick

    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": FREEZE_CONFIG_MAP, "namespace": options.operator_namespace},
        "data": {FREEZE_REASON: options.reason},
    }

    async def write(connection: "Connection", path: str) -> None:
        await connection.server_side_apply(path, body, {"fieldManager": FIELD_MANAGER, "force": "true"})

    _with_connection(options, write)
    print("frozen: no scaling and no rollouts until `stoker thaw`")
    return 0


def thaw(options: argparse.Namespace) -> int:
    from stoker.kube.connection import ApiError  # noqa: PLC0415

    async def remove(connection: "Connection", path: str) -> None:
        try:
            await connection.delete(path, {})
        except ApiError as refused:
            if refused.status != 404:
                raise

    _with_connection(options, remove)
    print("not frozen")
    return 0


def _with_connection(options: argparse.Namespace, work: "Work") -> None:
    import asyncio  # noqa: PLC0415

    from stoker.core.names import FREEZE_CONFIG_MAP  # noqa: PLC0415
    from stoker.kube import resources  # noqa: PLC0415
    from stoker.kube.connection import ApiError, ApiUnreachableError, Connection  # noqa: PLC0415

    path = resources.CONFIG_MAPS.path(resources.Key(options.operator_namespace, FREEZE_CONFIG_MAP))

    async def done() -> None:
        cluster = await cluster_options.cluster_of(options)
        async with Connection.open(cluster.credentials) as connection:
            await work(connection, path)

    try:
        asyncio.run(done())
    except (ApiError, ApiUnreachableError) as failed:
        where = f"ConfigMap {FREEZE_CONFIG_MAP} in namespace {options.operator_namespace}"
        raise InputError([f"{where}: {failed}: name the operator's namespace by --operator-namespace"]) from failed
