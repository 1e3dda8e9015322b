"""What the pipe bears."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The defaults serve every engine; tests make them small."""

    head_bytes: int = 32 * 1024
    answer_head_bytes: int = 64 * 1024
    header_fields: int = 128
    head_seconds: float = 20.0  # from the first byte of a head to its last
    body_seconds: float = 60.0  # without a byte of a body that is not whole
    idle_seconds: float = 600.0  # of a client that asks nothing: longer than those in front keep theirs, who else lose
    stuck_seconds: float = 300.0  # of a client that takes nothing of its answer
    linger_seconds: float = 2.0  # for a client to read a refusal while it still sends
    connect_seconds: float = 5.0
    answer_seconds: float | None = None  # to the first byte of an answer; None: a queue may be as long as it likes
    # Engines close after 5 s without a request (uvicorn, llama.cpp): whoever is first cannot lose a request to it.
    pooled_seconds: float = 2.0
    pooled_connections: int = 256
    queue_seconds: float = 1.0  # for a first chunk: who waits longer waits in the engine's queue,
    queued_seconds: float = 10.0  # which is taken to be there for so long, if no other stream begins
    high_water_bytes: int = 64 * 1024  # buffered for one who does not read, before the other one is not read either
    retry_bytes: int = 64 * 1024  # of a request, kept until its answer begins
    sweep_seconds: float = 0.5  # how often the times above are looked at
