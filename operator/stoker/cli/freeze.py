"""`stoker freeze` and `stoker thaw`: no scaling and no rollouts in the whole fleet, until it is thawed."""

import argparse
from typing import TYPE_CHECKING

from stoker.cli import answer_options, cluster_options
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
        answer_options.add_to(parser)
        cluster_options.add_to(parser)


def freeze(options: argparse.Namespace) -> int:
    from stoker.cli.refusals import MissingError  # noqa: PLC0415 - start-up must be quick
    from stoker.core.names import FIELD_MANAGER, FREEZE_CONFIG_MAP, FREEZE_REASON  # noqa: PLC0415

    namespace = options.operator_namespace
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": FREEZE_CONFIG_MAP, "namespace": namespace},
        "data": {FREEZE_REASON: options.reason},
    }

    async def write(connection: "Connection", path: str) -> None:
        await connection.server_side_apply(path, body, {"fieldManager": FIELD_MANAGER, "force": "true"})

    try:
        _in_the_operators_namespace(options, "patch", write)
    except MissingError as nowhere:
        said = f"there is no namespace {namespace}: name the operator's by --operator-namespace"
        raise InputError([said]) from nowhere
    _show(options, "frozen: no scaling and no rollouts until `stoker thaw`", frozen=True, reason=options.reason)
    return 0


def thaw(options: argparse.Namespace) -> int:
    from stoker.cli.refusals import MissingError  # noqa: PLC0415 - start-up must be quick

    async def remove(connection: "Connection", path: str) -> None:
        await connection.delete(path, {})

    try:
        _in_the_operators_namespace(options, "delete", remove)
        _show(options, "not frozen any more", frozen=False, changed=True)
    except MissingError:
        said = f"namespace {options.operator_namespace} has no freeze that could end"
        _show(options, said, frozen=False, changed=False)
    return 0


def _show(options: argparse.Namespace, text: str, **facts: bool | str) -> None:
    answer_options.show(options.output, text, {"operatorNamespace": options.operator_namespace} | facts)


def _in_the_operators_namespace(options: argparse.Namespace, verb: str, work: "Work") -> None:
    import asyncio  # noqa: PLC0415

    from stoker.cli.refusals import explained  # noqa: PLC0415
    from stoker.core.names import FREEZE_CONFIG_MAP  # noqa: PLC0415
    from stoker.kube import resources  # noqa: PLC0415
    from stoker.kube.connection import Connection  # noqa: PLC0415

    namespace = options.operator_namespace

    async def done() -> None:
        cluster = await cluster_options.cluster_of(options)
        async with Connection.open(cluster.credentials) as connection:
            with explained(verb, resources.CONFIG_MAPS, namespace):
                await work(connection, resources.CONFIG_MAPS.path(resources.Key(namespace, FREEZE_CONFIG_MAP)))

    asyncio.run(done())
