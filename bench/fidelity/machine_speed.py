"""How fast the machine itself is, all the while: the processor time of the same small work, four times a second.

A virtual machine's neighbours change its speed by ten percent within a minute, and near full load a replica's queue by
half. Processor time leaves out when the work had to wait for a processor, so the load that is measured does not count.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

_WORK = """
import time
while True:
    began = time.thread_time()
    sum(number * number for number in range(40_000))
    print(time.monotonic(), time.thread_time() - began, flush=True)
    time.sleep(0.25)
"""


class MachineSpeed:
    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []  # when, and the seconds that the work took

    def between(self, begins: float, ends: float) -> float:
        """Work a second, by the monotonic clock."""
        return 1.0 / median(seconds for at, seconds in self._seen if begins <= at <= ends)

    def listen(self, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            at, seconds = line.split()
            self._seen.append((float(at), float(seconds)))


@contextmanager
def machine_speed() -> Iterator[MachineSpeed]:
    found = MachineSpeed()
    with subprocess.Popen([sys.executable, "-c", _WORK], stdout=subprocess.PIPE, text=True) as process:
        threading.Thread(target=found.listen, args=(process,), daemon=True).start()
        time.sleep(1.0)
        try:
            yield found
        finally:
            process.kill()
