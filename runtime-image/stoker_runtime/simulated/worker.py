"""The other pods of a simulated replica that spans several: they answer nobody, and leave when they are told to."""

import signal


def main() -> int:
    leave = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, leave)
    print("a simulated worker waits for its leader's work", flush=True)
    signal.sigwait(leave)
    return 0
