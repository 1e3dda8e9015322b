"""`stoker`: finds the command and runs it.

Start-up must be quick, also for the shell's completion and for --help: a command's module imports what it needs inside
run(), and only argparse at its top.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from stoker.cli import (
    calibrate,
    completion,
    config,
    explain,
    fit,
    freeze,
    images,
    load_test,
    operator,
    plan,
    preflight,
    rollback,
    simulate,
    status,
    top,
    upgrade,
    version,
)
from stoker.cli.input_error import InputError

COMMANDS = (
    status,
    explain,
    top,
    upgrade,
    operator,
    plan,
    fit,
    simulate,
    calibrate,
    load_test,
    preflight,
    rollback,
    freeze,
    config,
    images,
    completion,
    version,
)  # in the order in which --help lists them

GOOD, NO, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
_EXIT_CODES = """\
exit codes: 0 all is well; 1 the answer is no, such as a check that failed; 2 the command line, a file or a variable
cannot be used as it is, or the cluster does not answer what it is asked
"""


def parser_named(program: str) -> argparse.ArgumentParser:
    """The whole command line, which calls itself so."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Keeps fleets of GPU model servers hot on Kubernetes.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """What the shell gets back."""
    called_as = Path(sys.argv[0]).name
    parser = parser_named("kubectl stoker" if called_as.startswith("kubectl-") else "stoker")
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except InputError as wrong:
        print(_block(f"{parser.prog} {options.command}", wrong.problems), file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:
        # `stoker config | head` has read enough. What is still buffered must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _block(command: str, problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return f"{command}: {problems[0]}"
    return "\n".join((f"{command}: {len(problems)} problems:", *(f"  - {problem}" for problem in problems)))


if __name__ == "__main__":
    sys.exit(main())
