"""The other pods of a simulated replica that spans several: they answer nobody, and leave when they are told to."""

import signal
import sys


def main(arguments: list[str]) -> int:
    if arguments:
        print(f"simulated-worker takes no arguments, found {arguments[0]}", file=sys.stderr)
        return 2
    leave = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, leave)
    print("a simulated worker waits for its leader's work", flush=True)
    signal.sigwait(leave)
    return 0
