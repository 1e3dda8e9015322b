"""The command line: `python -m e2e.models build NAME --to DIR`, or `list`."""

import argparse
import sys
import time
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.models.build import MODELS, build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.models", description="Tiny models for the tests.")
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    commands.add_parser("list", help="name the models")
    make = commands.add_parser("build", help="write one model into a folder")
    make.add_argument("name", help=f"one of: {', '.join(MODELS)}")
    make.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    options = parser.parse_args()
    if options.command == "list":
        print("\n".join(MODELS))
        return 0
    started = time.monotonic()
    try:
        files = build(options.name, options.to)
    except Refusal as refusal:
        print(f"e2e.models: {refusal}", file=sys.stderr)
        return 2
    for path in files:
        print(f"{path.stat().st_size:>9} {path}")
    print(f"built {options.name} in {time.monotonic() - started:.1f} s")
    return 0


raise SystemExit(main())
