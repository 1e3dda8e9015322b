"""Whether the host can hold what a replica takes along into sleep.

    level 1    weights + ENGINE_BYTES ≤ the memory that the container may use
    level 2    nothing is kept

Each sleeper holds its accelerators, so there is never more than one on any of them.
"""

ENGINE_BYTES = 2 * 2**30  # what the server needs beside the weights, at least


def has_bed(level: int, weights_bytes: int | None, memory_limit_bytes: int | None) -> bool:
    """Without a limit the container may use what its node has. Weights of unknown size are too large for any."""
    if level > 1 or memory_limit_bytes is None:
        return True
    return weights_bytes is not None and weights_bytes + ENGINE_BYTES <= memory_limit_bytes
