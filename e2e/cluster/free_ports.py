"""Ports for processes that tests and measurements start.

They lie below those that the kernel gives to outgoing connections: one that is free now may be anybody's source port by
the time that the process listens on it.
"""

import random
import socket
from contextlib import ExitStack

from e2e.cluster.refusal import Refusal

_BELOW_OUTGOING = range(20_000, 32_768)


def free_ports(count: int) -> list[int]:
    """Held all at once, so that they differ."""
    ports: list[int] = []
    with ExitStack() as held:
        for port in random.sample(_BELOW_OUTGOING, len(_BELOW_OUTGOING)):
            if len(ports) == count:
                break
            try:
                held.enter_context(socket.create_server(("", port)))
            except OSError:
                continue
            ports.append(port)
    if len(ports) < count:
        raise Refusal(
            f"{len(ports)} of {count} ports are free from {_BELOW_OUTGOING.start} to {_BELOW_OUTGOING.stop - 1}: stop"
            " what listens there"
        )
    return ports
