"""`stoker preflight`: whether a cluster is ready for the first model."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stoker.cli import answer_options, cluster_options, configuration_options

if TYPE_CHECKING:
    from stoker.core.preflight.check import Check


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "preflight",
        help="check a cluster before the first model",
        description="Checks a cluster before the first model, and changes nothing in it. Exits with 1 if a check"
        " failed. A check whose facts could not be read is unknown: neither well nor failed.",
    )
    parser.add_argument(
        "-n", "--namespace", metavar="NAME", help="namespace of the first model (default: that of the context)"
    )
    parser.add_argument(
        "--operator-namespace", metavar="NAME", help="namespace that the operator runs in (default: that of the model)"
    )
    answer_options.add_to(parser)
    configuration_options.add_to(parser)
    cluster_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick

    from stoker.cli.preflight_facts import gathered  # noqa: PLC0415
    from stoker.core.preflight.check import Level  # noqa: PLC0415
    from stoker.core.preflight.checks import checks  # noqa: PLC0415

    configuration = configuration_options.loaded(options).configuration

    async def found() -> "list[Check]":
        cluster = await cluster_options.cluster_of(options)
        namespace = options.namespace or cluster.namespace
        operator_namespace = options.operator_namespace or namespace
        facts = await gathered(cluster.credentials, configuration, namespace, operator_namespace)
        return checks(facts, configuration, operator_namespace)

    done = asyncio.run(found())
    print(_json(done) if options.output == "json" else _text(done))
    return 1 if any(check.level is Level.FAIL for check in done) else 0


def _text(checks: "Sequence[Check]") -> str:
    """One line a check, and its remedy below it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{check.level.value:<7}  {check.name:<{width}}  {check.sentence}")
        if check.remedy:
            lines.append(f"{'':<7}  {'':<{width}}  → {check.remedy}")
    return "\n".join((*lines, "", _summary(checks)))


def _summary(checks: "Sequence[Check]") -> str:
    return ", ".join(f"{count} {level}" for level, count in _counts(checks).items() if count)


def _counts(checks: "Sequence[Check]") -> dict[str, int]:
    from stoker.core.preflight.check import Level  # noqa: PLC0415

    return {level.value: sum(check.level is level for check in checks) for level in Level}


def _json(checks: "Sequence[Check]") -> str:
    import json  # noqa: PLC0415
    from dataclasses import asdict  # noqa: PLC0415

    answer = {"checks": [asdict(check) for check in checks], "summary": _counts(checks)}
    return json.dumps(answer, indent=2, ensure_ascii=False)
