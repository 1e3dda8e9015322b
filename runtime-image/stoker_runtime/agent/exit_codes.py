"""Why the agent ends, told by its exit code: 0 where it was told to, else one of a closed list from 64 to 113."""

from enum import IntEnum

_CAPITALS = {"GPU"}


class ExitCode(IntEnum):
    """The names are the reasons in the termination message."""

    BAD_ARGUMENTS = 64
    WEIGHTS_DAMAGED = 65  # the folder is not what its manifest says
    ENGINE_NOT_STARTED = 66  # no such program, or not allowed to run it
    PORT_TAKEN = 67
    ENGINE_CRASHED = 70  # by itself, for no reason that is told apart below
    HOST_MEMORY = 71
    GPU_MEMORY = 72
    DEVICE_FAULT = 73  # the GPU or its driver: replace the pod, since another container on it would fare no better
    COLLECTIVES = 74  # NCCL or RCCL: another GPU or node of this replica
    ENGINE_STALLED = 75  # requests in flight, good health, and no progress
    NEVER_READY = 76
    ENGINE_KILLED = 77  # SIGKILL that is no lack of memory
    ENGINE_LEFT = 78  # exit 0 without having been told
    ENGINE_UNHEALTHY = 79  # was ready, and its health stayed bad
    AGENT_FAILED = 80  # a fault of the agent's own

    @property
    def reason(self) -> str:
        """As in conditions and events: EngineCrashed."""
        return "".join(word if word in _CAPITALS else word.title() for word in self.name.split("_"))
