"""NAME, -n and -A, for the commands that look at ModelDeployments."""

import argparse

from stoker.cli import cluster_options


def add_to(parser: argparse.ArgumentParser, *, many: bool) -> None:
    parser.add_argument(
        "name",
        nargs="?" if many else None,
        metavar="NAME",
        help="the ModelDeployment" + (" (default: all)" if many else ""),
    )
    where = parser.add_mutually_exclusive_group() if many else parser
    where.add_argument("-n", "--namespace", metavar="NAME", help="(default: that of the context)")
    if many:
        where.add_argument("-A", "--all-namespaces", action="store_true", help="look in all namespaces")
    cluster_options.add_to(parser)
