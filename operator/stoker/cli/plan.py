"""`stoker plan -f FILE`: what an operator would make of a manifest, by the operator's own planner and without a
cluster."""

import argparse
from typing import TYPE_CHECKING, Any

from stoker.cli import configuration_options
from stoker.cli.input_error import InputError

if TYPE_CHECKING:
    from stoker.core.plan.actions import Plan


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "plan",
        help="show what the operator would make of a manifest",
        description="Shows what the operator would create for the ModelDeployments of a file, in an empty cluster that"
        " has the claims that they name and the LeaderWorkerSet API. Uses the operator's own planner, and no cluster.",
    )
    parser.add_argument("-f", "--filename", required=True, metavar="FILE", help="the manifest, or - for standard input")
    parser.add_argument("-o", "--output", choices=("text", "yaml"), default="text", help="(default: text)")
    configuration_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import yaml  # noqa: PLC0415 - start-up must be quick

    from stoker.api.parsing import InvalidManifest, parse_file  # noqa: PLC0415
    from stoker.cli.dry_plan import blocked, planned  # noqa: PLC0415
    from stoker.core.plan.report import sentences  # noqa: PLC0415

    configuration = configuration_options.loaded(options).configuration
    code = 0
    for manifest in _manifests(options.filename):
        try:
            deployment = parse_file(manifest)
        except InvalidManifest as invalid:
            raise InputError(str(invalid).splitlines()) from invalid
        plan = planned(deployment, configuration)
        if why := blocked(plan):
            code = 1
            print(f"ModelDeployment {deployment.metadata.name}: {why}")
        elif options.output == "yaml":
            print(yaml.safe_dump_all(_bodies(plan), sort_keys=False, width=120), end="")
        else:
            print(f"ModelDeployment {deployment.metadata.name}:")
            print("\n".join(f"  {sentence}" for sentence in sentences(plan)))
    return code


def _manifests(name: str) -> list[Any]:
    from stoker.cli.manifest_file import documents  # noqa: PLC0415

    found = documents(name)
    strange = [document for document in found if not isinstance(document, dict)]
    if strange or not found:
        raise InputError([f"{name}: holds no ModelDeployment: write one as under docs/examples"])
    return found


def _bodies(plan: "Plan") -> list[dict[str, Any]]:
    return [action.body for action in plan.actions if hasattr(action, "body")]
