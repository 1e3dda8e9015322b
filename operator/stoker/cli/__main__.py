"""`stoker`: finds the command and runs it.

Start-up must be quick, also for the shell's completion and for --help: a command's module imports what it needs inside
run(), and only argparse at its top.
"""

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

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


class _Command(argparse.ArgumentParser):
    """What it does not know it names itself, with its own usage and not that of the whole program."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown


def parser_named(program: str) -> argparse.ArgumentParser:
    """The whole command line, which calls itself so."""
    return _command_line(program)[0]


def _command_line(program: str) -> tuple[argparse.ArgumentParser, Collection[str]]:
    """And the names of its commands."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Keeps fleets of GPU model servers hot on Kubernetes.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Command)
    for command in COMMANDS:
        command.add_to(subparsers)
    return parser, subparsers.choices


def _look_for_the_command(parser: argparse.ArgumentParser, names: Collection[str], arguments: Sequence[str]) -> None:
    """Says in a few words what argparse would answer with the list of all commands. Flags are argparse's own."""
    if not arguments:
        parser.print_help(sys.stderr)
        sys.exit(WRONG_USE)
    first = arguments[0]
    if first.startswith("-") or first in names:
        return
    from difflib import get_close_matches  # noqa: PLC0415 - start-up must be quick

    near = get_close_matches(first, names, n=1, cutoff=0.5)
    offer = f"did you mean {near[0]}?" if near else f"`{parser.prog} --help` lists those that there are"
    print(f"{parser.prog}: there is no command {first}: {offer}", file=sys.stderr)
    sys.exit(WRONG_USE)


def main(arguments: Sequence[str] | None = None) -> int:
    """What the shell gets back."""
    called_as = Path(sys.argv[0]).name
    parser, names = _command_line("kubectl stoker" if called_as.startswith("kubectl-") else "stoker")
    arguments = sys.argv[1:] if arguments is None else arguments
    _look_for_the_command(parser, names, arguments)
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
