"""The image's command: `python -m stoker_runtime COMMAND ...`."""

import sys

COMMANDS = ("simulated", "simulated-worker")


def main(arguments: list[str]) -> int:
    command, *rest = arguments or [""]
    if command == "simulated":
        # A replica must not pay for the imports of the commands that it does not run.
        from stoker_runtime.simulated.command import main as simulated  # noqa: PLC0415

        return simulated(rest)
    if command == "simulated-worker":
        from stoker_runtime.simulated.worker import main as simulated_worker  # noqa: PLC0415

        return simulated_worker()
    print(f"stoker_runtime: no command {command!r}: choose of {', '.join(COMMANDS)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
