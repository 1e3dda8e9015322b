"""The command line: `python -m e2e.images build NAME...`, or `list`."""

import argparse
import sys

from e2e.cluster.refusal import Refusal
from e2e.images.build import build
from e2e.images.catalogue import IMAGES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.images", description="Container images for the tests.")
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    commands.add_parser("list", help="name the images")
    make = commands.add_parser("build", help="build what is missing or has changed")
    make.add_argument("names", nargs="+", metavar="NAME", help=f"of: {', '.join(IMAGES)}")
    options = parser.parse_args()
    if options.command == "list":
        print("\n".join(IMAGES))
        return 0
    try:
        for name in options.names:
            archive = build(name)
            print(f"{archive.reference} {archive.path}")
    except Refusal as refusal:
        print(f"e2e.images: {refusal}", file=sys.stderr)
        return 2
    return 0


raise SystemExit(main())
