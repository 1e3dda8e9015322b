"""Runs where vLLM is installed, on its own: given command lines of `vllm serve` as JSON, it prints what the parser of
that vLLM makes of each: its settings, or in what words it was refused."""

import contextlib
import io
import json
import sys
from importlib import import_module
from typing import Any

ARGUMENTS = import_module("vllm.entrypoints.launchers.cli_args")
PARSER = ARGUMENTS.make_arg_parser(import_module("vllm.utils.argparse_utils").FlexibleArgumentParser(prog="vllm serve"))


def parsed(words: list[str]) -> dict[str, Any]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            settings = PARSER.parse_args(words)
            ARGUMENTS.validate_parsed_serve_args(settings)
    except (SystemExit, TypeError, ValueError) as refusal:
        return {"refused": said.getvalue() or str(refusal)}
    return dict(vars(settings))


if __name__ == "__main__":
    # Some defaults are objects of vLLM's own.
    print(json.dumps([parsed(words) for words in json.loads(sys.argv[1])], default=str))
