"""Why an engine ended, judged by how it ended, what it wrote last and what the kernel counted."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from stoker_runtime.agent.exit_codes import ExitCode

_BY_SHELL = 128 + signal.SIGKILL  # what a shell makes of a child that was killed

_GPU_MEMORY = re.compile(
    r"(CUDA|HIP|ROCm) out of memory"
    r"|OutOfMemoryError"
    r"|(CUDA|HIP) error: out of memory"
    r"|(CUDA|HIP)_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory"
    r"|(Cuda|HIP) failure.{0,20}out of memory"
    r"|(cuda|hip)Malloc failed: out of memory"
    r"|Free memory on device .{0,80}less than desired GPU memory utilization"
    r"|No available memory for the cache blocks"
    r"|Not enough memory\. Please try (to increase|increasing) --mem-fraction-static"
)
# Xid 13, 31, 43 and 45 are faults of a program, after which the GPU serves the next one.
_DEVICE = re.compile(
    r"uncorrectable ECC"
    r"|device-side assert"
    r"|CUDA error: (unspecified launch failure|hardware error|no CUDA-capable device|"
    r"CUDA-capable device\(s\) is/are busy|system not yet initialized)"
    r"|cudaError(ECCUncorrectable|AssertTriggered|LaunchFailure|NoDevice|DevicesUnavailable|SystemNotReady)\b"
    r"|CUDA_ERROR_(ECC_UNCORRECTABLE|NO_DEVICE|LAUNCH_FAILED|ASSERT|SYSTEM_NOT_READY)"
    r"|NVRM: Xid \([^)]*\): (?!(13|31|43|45)\b)\d+"
    r"|GPU (has fallen off the bus|is lost)"
    r"|HIP error: (unspecified launch failure|no ROCm-capable device|device kernel image is invalid)"
    r"|HSA_STATUS_ERROR_(EXCEPTION|OUT_OF_RESOURCES)"
)
_COLLECTIVES = re.compile(
    r"(NCCL|RCCL) (error|Error)|ncclUnhandledCudaError|ncclSystemError|ncclRemoteError|ncclInternalError"
    r"|ProcessGroupNCCL.{0,200}(terminated|timeout|timed out|exception)"
    r"|Watchdog caught collective operation timeout|DistBackendError"
)
# The first that matches: a GPU that ran out of memory or broke takes the collectives with it.
_MARKS = (
    (_GPU_MEMORY, ExitCode.GPU_MEMORY),
    (_DEVICE, ExitCode.DEVICE_FAULT),
    (_COLLECTIVES, ExitCode.COLLECTIVES),
)
_TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ending:
    """How a process ended: its exit code, or minus the signal that ended it."""

    return_code: int

    @property
    def was_killed(self) -> bool:
        return self.return_code in {-signal.SIGKILL, _BY_SHELL}

    def __str__(self) -> str:
        if self.return_code >= 0:
            return f"exit code {self.return_code}"
        try:
            return f"signal {signal.Signals(-self.return_code).name}"
        except ValueError:
            return f"signal {-self.return_code}"


@dataclass(frozen=True)
class Verdict:
    """What the agent exits with, and the sentence that says why."""

    code: ExitCode
    sentence: str


def judge(ending: Ending, last_lines: Sequence[str], memory_kills: int | None) -> Verdict:
    """`memory_kills`: processes of this container that the kernel killed for memory since the start; None: unknown."""
    if memory_kills:
        return Verdict(
            ExitCode.HOST_MEMORY,
            f"The kernel killed {memory_kills} process(es) of this container for lack of memory, and the engine ended "
            f"with {ending}: raise resources.limits.memory, or lower what the engine keeps in host memory.",
        )
    for pattern, code in _MARKS:
        if line := _last_match(pattern, last_lines):
            return Verdict(code, f'The engine ended with {ending} after it wrote "{line}".')
    if ending.was_killed and memory_kills is None:
        return Verdict(
            ExitCode.HOST_MEMORY,
            f"The engine ended with {ending}, which this agent did not send; the kernel's counter of memory kills "
            "cannot be read here, and lack of host memory is the usual cause: see resources.limits.memory.",
        )
    if ending.was_killed:
        return Verdict(
            ExitCode.ENGINE_KILLED,
            f"The engine ended with {ending}, which this agent did not send, and not for lack of memory.",
        )
    if ending.return_code == 0:
        return Verdict(ExitCode.ENGINE_LEFT, "The engine ended with exit code 0 though nobody had told it to.")
    return Verdict(ExitCode.ENGINE_CRASHED, f"The engine ended with {ending}; see its last lines.")


def without_colours(line: str) -> str:
    return _TERMINAL_COLOURS.sub("", line)


def _last_match(pattern: re.Pattern[str], lines: Sequence[str]) -> str | None:
    return next((line.strip()[:300] for line in reversed(lines) if pattern.search(line)), None)
