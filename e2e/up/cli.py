"""The command line: `python -m e2e.up`, which `make up` runs."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from e2e.cluster.layout import DEFAULT_NAME
from e2e.cluster.refusal import Refusal
from e2e.up.existing_cluster import up as up_there
from e2e.up.own_cluster import up as up_here
from e2e.up.serving import Patience

PATIENCE_SECONDS = 600


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.context is not None:
            up_there(options.context, options.values, options.model, Patience(options.patience))
        else:
            _refuse_what_needs_a_context(options)
            up_here(options.name, options.model, Patience(options.patience))
    except Refusal as refusal:
        print(f"up: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nup: interrupted; the next `make up` goes on from here", file=sys.stderr)
        return 130
    return 0


def _refuse_what_needs_a_context(options: argparse.Namespace) -> None:
    if options.values:
        raise Refusal("VALUES says where the images of a cluster that exists are: name the cluster with CONTEXT=")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m e2e.up",
        description="Starts a cluster with Stoker and a model on it, or uses one that exists, and streams an answer.",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--name", default=DEFAULT_NAME, help="of the cluster on this machine (default: %(default)s)")
    where.add_argument("--context", help="use the cluster of this context of the kubeconfig")
    parser.add_argument("--values", type=Path, metavar="FILE", help="values of the chart, for --context")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the ModelDeployment to serve")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_SECONDS, metavar="SECONDS", help="until it is Ready (%(default)s)"
    )
    return parser
