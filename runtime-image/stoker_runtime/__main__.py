"""The image's command: `python -m stoker_runtime COMMAND ...`."""

import sys
from collections.abc import Callable
from importlib import import_module

# A replica must not pay for the imports of the commands that it does not run.
COMMANDS = {
    "agent": "stoker_runtime.agent.command",
    "fetch": "stoker_runtime.fetch.command",
    "inspect": "stoker_runtime.inspect.command",
    "simulated": "stoker_runtime.simulated.command",
    "simulated-worker": "stoker_runtime.simulated.worker",
}


def main(arguments: list[str]) -> int:
    command, *rest = arguments or [""]
    if command not in COMMANDS:
        print(f"stoker_runtime: no command {command!r}: choose of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    run: Callable[[list[str]], int] = import_module(COMMANDS[command]).main
    return run(rest)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
