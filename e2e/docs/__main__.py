"""`python -m e2e.docs`: prepares a one-node cluster for docs/quickstart.md."""

import argparse
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout, suppress
from pathlib import Path

import yaml

from e2e.cluster.layout import layout_of
from e2e.cluster.refusal import Refusal
from e2e.docs.stage import hub_command, prepare


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.docs", description=__doc__)
    parser.add_argument("command", choices=("prepare", "hub"), help="import images and print values; serve a model")
    parser.add_argument("--name", default="stoker", help="of the cluster")
    options = parser.parse_args()
    layout = layout_of(options.name)
    try:
        if options.command == "prepare":
            with redirect_stdout(sys.stderr):  # what is built tells of itself
                values = prepare(layout)
            print(yaml.safe_dump(values, sort_keys=False), end="")
            return 0
        command = hub_command(layout, Path(tempfile.gettempdir()) / f"stoker-hub-{options.name}")
    except Refusal as refusal:
        print(f"e2e.docs: {refusal}", file=sys.stderr)
        return 2
    with suppress(KeyboardInterrupt):
        subprocess.run(command, check=False)
    return 0


raise SystemExit(main())
