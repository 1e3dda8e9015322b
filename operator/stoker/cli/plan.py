"""`stoker plan -f FILE`: what an operator would make of a manifest, by the operator's own planner and without a
cluster."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stoker.cli import configuration_options
from stoker.cli.input_error import InputError

if TYPE_CHECKING:
    from stoker.core.plan.actions import Plan

    Shown = tuple[str, Plan, str | None]
    """The name of a model, what would be made of it, and why nothing would be."""


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "plan",
        help="show what the operator would make of a manifest",
        description="Shows what the operator would create for the ModelDeployments of a file, in an empty cluster that"
        " has the claims that they name and the LeaderWorkerSet API. Uses the operator's own planner, and no cluster.",
    )
    parser.add_argument("-f", "--filename", required=True, metavar="FILE", help="the manifest, or - for standard input")
    parser.add_argument("-o", "--output", choices=("text", "yaml", "json"), default="text", help="(default: text)")
    configuration_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import sys  # noqa: PLC0415 - start-up must be quick

    from stoker.api.parsing import InvalidManifest, parse_file  # noqa: PLC0415
    from stoker.cli.dry_plan import blocked, planned  # noqa: PLC0415

    configuration = configuration_options.loaded(options).configuration
    shown: list[Shown] = []
    for manifest in _manifests(options.filename):
        try:
            deployment = parse_file(manifest)
        except InvalidManifest as invalid:
            raise InputError(str(invalid).splitlines()) from invalid
        plan = planned(deployment, configuration)
        shown.append((deployment.metadata.name, plan, blocked(plan)))
    for name, _, why in shown:
        if why and options.output != "json":
            # Beside the answer where that is YAML, which must stay YAML.
            print(f"ModelDeployment {name}: {why}", file=sys.stderr if options.output == "yaml" else None)
    print(_WRITERS[options.output](shown), end="")
    return 1 if any(why for _, _, why in shown) else 0


def _text(shown: "list[Shown]") -> str:
    from stoker.core.plan.report import sentences  # noqa: PLC0415

    lines = []
    for name, plan, why in shown:
        if not why:
            told = (*sentences(plan), *_afterwards(plan))
            lines += [f"ModelDeployment {name}:", *(f"  {sentence}" for sentence in told)]
    return "".join(f"{line}\n" for line in lines)


def _afterwards(plan: "Plan") -> Iterator[str]:
    """What a person would miss in a first step, since nobody knows it before."""
    from stoker.core.plan.actions import CreateGroup, CreateJob, CreateReplicaSet  # noqa: PLC0415

    made = {type(action) for action in plan.actions}
    if not made:
        yield "make nothing"
    elif CreateJob in made and not made & {CreateReplicaSet, CreateGroup}:
        yield "then, by what this Job finds: fetch the weights to a claim, and make replicas and a Service,"
        yield "or say why the model does not fit; `stoker fit` can tell that now"


def _yaml(shown: "list[Shown]") -> str:
    import yaml  # noqa: PLC0415

    bodies = [body for _, plan, why in shown if not why for body in _bodies(plan)]
    return yaml.safe_dump_all(bodies, sort_keys=False, width=120) if bodies else ""


def _json(shown: "list[Shown]") -> str:
    import json  # noqa: PLC0415

    from stoker.core.plan.report import sentences  # noqa: PLC0415

    found = [
        {
            "name": name,
            "blocked": why,
            "would": [] if why else list(sentences(plan)),
            "objects": [] if why else _bodies(plan),
        }
        for name, plan, why in shown
    ]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


_WRITERS = {"text": _text, "yaml": _yaml, "json": _json}


def _manifests(name: str) -> list[Any]:
    from stoker.cli.manifest_file import documents  # noqa: PLC0415

    found = documents(name)
    strange = [document for document in found if not isinstance(document, dict)]
    if strange or not found:
        raise InputError([f"{name}: holds no ModelDeployment: write one as under docs/examples"])
    return found


def _bodies(plan: "Plan") -> list[dict[str, Any]]:
    return [action.body for action in plan.actions if hasattr(action, "body")]
