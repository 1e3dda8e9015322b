"""Why an engine ended: the table of exit codes."""

import signal

import pytest

from stoker_runtime.agent.exit_codes import ExitCode
from stoker_runtime.agent.verdict import Ending, judge


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", ExitCode.GPU_MEMORY),
        ("torch.cuda.OutOfMemoryError: HIP out of memory. Tried to allocate 20 MiB", ExitCode.GPU_MEMORY),
        ("RuntimeError: CUDA error: out of memory", ExitCode.GPU_MEMORY),
        ("ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory", ExitCode.GPU_MEMORY),
        ("ValueError: No available memory for the cache blocks.", ExitCode.GPU_MEMORY),
        ("NCCL WARN Cuda failure 2 'out of memory'", ExitCode.GPU_MEMORY),
        ("RuntimeError: CUDA error: uncorrectable ECC error encountered", ExitCode.DEVICE_FAULT),
        ("RuntimeError: CUDA error: device-side assert triggered", ExitCode.DEVICE_FAULT),
        ("RuntimeError: CUDA error: unspecified launch failure", ExitCode.DEVICE_FAULT),
        ("NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.", ExitCode.DEVICE_FAULT),
        ("NVRM: Xid (PCI:0000:3b:00): 31, pid=1234, MMU Fault", ExitCode.ENGINE_CRASHED),
        ("RuntimeError: CUDA error: no CUDA-capable device is detected", ExitCode.DEVICE_FAULT),
        ("torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1", ExitCode.COLLECTIVES),
        ("[rank1]: Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5)", ExitCode.COLLECTIVES),
        ("RuntimeError: CUDA error: an illegal memory access was encountered", ExitCode.ENGINE_CRASHED),
        ("INFO the prompt was about running out of memory", ExitCode.ENGINE_CRASHED),
    ],
)
def test_the_log_tells_what_broke(line: str, code: ExitCode) -> None:
    verdict = judge(Ending(1), ["before", line, "RuntimeError: Engine core initialization failed."], 0)
    assert verdict.code == code
    assert code is ExitCode.ENGINE_CRASHED or line in verdict.sentence


def test_a_gpu_that_broke_takes_the_collectives_with_it() -> None:
    lines = ["CUDA error: uncorrectable ECC error encountered", "NCCL error: unhandled cuda error"]
    assert judge(Ending(1), lines, 0).code == ExitCode.DEVICE_FAULT


@pytest.mark.parametrize("return_code", [-signal.SIGKILL, 137])
@pytest.mark.parametrize(
    ("kills", "code"), [(1, ExitCode.HOST_MEMORY), (0, ExitCode.ENGINE_KILLED), (None, ExitCode.HOST_MEMORY)]
)
def test_a_kill_is_lack_of_memory_unless_the_kernel_says_otherwise(
    return_code: int, kills: int | None, code: ExitCode
) -> None:
    assert judge(Ending(return_code), [], kills).code == code


def test_a_worker_that_the_kernel_killed_counts_though_the_engine_ended_by_itself() -> None:
    assert judge(Ending(1), ["Worker died"], 1).code == ExitCode.HOST_MEMORY


@pytest.mark.parametrize(
    ("return_code", "shown"), [(3, "exit code 3"), (-11, "signal SIGSEGV"), (-50, "signal 50"), (0, "exit code 0")]
)
def test_an_end_is_said_in_words(return_code: int, shown: str) -> None:
    assert shown in judge(Ending(return_code), [], 0).sentence


def test_each_code_has_a_reason_of_its_own() -> None:
    assert all(64 <= code <= 113 for code in ExitCode)
    assert len({code.reason for code in ExitCode}) == len(ExitCode)
    assert (ExitCode.GPU_MEMORY.reason, ExitCode.ENGINE_CRASHED.reason) == ("GPUMemory", "EngineCrashed")
