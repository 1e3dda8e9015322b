"""Real vLLM on the CPU, from its image, for as long as it is measured.

The engine has a processor of its own, as elsewhere it has a GPU: who sends and who answers share the other ones.
Without that they take it from the engine, the more the more they have to do, which is no property of the engine.
"""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.coldstart.image_root import ImageRoot

PORT = 8000
URL = f"http://127.0.0.1:{PORT}/v1"
CONTEXT_TOKENS = 512
MOST_SEQUENCES = 8
STEP_TOKENS = 512
LIMIT_SECONDS = 400.0
_COMMAND = (
    "vllm", "serve", "/model", "--served-model-name=small-llama", f"--port={PORT}", f"--max-model-len={CONTEXT_TOKENS}",
    f"--max-num-seqs={MOST_SEQUENCES}", f"--max-num-batched-tokens={STEP_TOKENS}", "--enforce-eager",
    "--dtype=bfloat16", "--distributed-executor-backend=uni", "--kv-cache-memory-bytes=64M",
    "--no-enable-prefix-caching",
)  # fmt: skip
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1"}


@contextmanager
def running(root: ImageRoot, log: Path) -> Iterator[None]:
    with log.open("wb") as said:
        server = subprocess.Popen(
            root.command(list(_COMMAND), _ENVIRONMENT), stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait_until_healthy(server, log)
            with _processor_of_its_own(server.pid):
                yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@contextmanager
def _processor_of_its_own(session: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    *others, its_own = sorted(before)
    if not others:
        raise SystemExit("bench.fidelity: this machine has one processor: the engine needs one of its own, so use two")
    found = dict(_processes_of(session))
    engines = [process for process, name in found.items() if "EngineCore" in name]
    if not engines:
        raise SystemExit(f"bench.fidelity: no process of the server is an EngineCore: {sorted(found.values())}")
    for process in (*found, os.getpid()):
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(thread.name), [its_own] if process in engines else others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _processes_of(session: int) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if os.getsid(process := int(folder.name)) == session:
                yield process, (folder / "cmdline").read_bytes().split(b"\0")[0].decode()


def _wait_until_healthy(server: subprocess.Popen[bytes], log: Path) -> None:
    began = time.monotonic()
    while not _healthy():
        if server.poll() is not None or time.monotonic() - began > LIMIT_SECONDS:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise SystemExit(f"bench.fidelity: the server did not become healthy; it said last:\n{last}")
        time.sleep(0.5)


def _healthy() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
