"""-o text or json, and how commands that change something then say what they did."""

import argparse
from collections.abc import Mapping
from typing import Any


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="(default: text)")


def show(output: str, text: str, facts: Mapping[str, Any]) -> None:
    """Either way `text` is said; what a script needs of it stands in the facts."""
    if output == "json":
        import json  # noqa: PLC0415 - start-up must be quick

        text = json.dumps({**facts, "message": text}, indent=2, ensure_ascii=False)
    print(text)
