"""`stoker completion bash|zsh|fish`, and what kubectl asks for when it completes `kubectl stoker`."""

import argparse
import sys

SHELLS = ("bash", "zsh", "fish")


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "completion",
        help="print what makes a shell complete commands",
        description="Prints a script. For bash: `source <(stoker completion bash)` in ~/.bashrc; for zsh: the same with"
        " zsh in ~/.zshrc; for fish: `stoker completion fish > ~/.config/fish/completions/stoker.fish`. `kubectl"
        " stoker` completes by itself, where kubectl completes and `kubectl_complete-stoker` is on the PATH.",
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from stoker.cli import completion_scripts  # noqa: PLC0415 - start-up must be quick
    from stoker.cli.__main__ import parser_named  # noqa: PLC0415

    commands = completion_scripts.commands_of(parser_named("stoker"))
    write = {"bash": completion_scripts.bash, "zsh": completion_scripts.zsh, "fish": completion_scripts.fish}
    print(write[options.shell](commands), end="")
    return 0


def for_kubectl() -> int:
    """kubectl runs `kubectl_complete-stoker WORD… LAST`, and reads one candidate a line and a directive."""
    from stoker.cli import completion_scripts  # noqa: PLC0415
    from stoker.cli.__main__ import parser_named  # noqa: PLC0415

    found = completion_scripts.candidates(completion_scripts.commands_of(parser_named("stoker")), sys.argv[1:])
    print(*found, ":4" if found else ":0", sep="\n")  # 4: no files beside these; 0: files
    return 0
