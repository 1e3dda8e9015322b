"""Faults on demand: set by flags at the start, changed by `POST /faults` while the engine runs."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace

CRASHED = 1
OUT_OF_MEMORY = 137
OUT_OF_MEMORY_LINES = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB "
    "of which 1.17 GiB is free. Including non-PyTorch memory, this process has 77.93 GiB memory in use. Of the "
    "allocated memory 76.21 GiB is allocated by PyTorch, and 512.00 MiB is reserved by PyTorch but unallocated."
)


class FaultError(Exception):
    """A sentence that says which field is wrong, and how."""


@dataclass(frozen=True)
class Faults:
    slow_start_seconds: float = 0.0  # added to the start-up time
    never_ready: bool = False
    crash_at_token: int | None = None  # counted from the last change of the faults
    out_of_memory_at_token: int | None = None  # the same; 0 is at once, and as a flag the end of loading
    exit_code: int | None = None  # where None: 1 for a crash, 137 for memory
    hang: bool = False
    metrics_gone: bool = False
    wrong_weights: bool = False  # what is loaded anew after a sleep at level 2 is not the model
    error_share: float = 0.0  # of requests answered with 500

    def changed_by(self, wanted: object) -> "Faults":
        if not isinstance(wanted, dict):
            raise FaultError("the body must be an object of faults")
        known = {field.name: field.type for field in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise FaultError(f"no fault {name!r}: choose of {', '.join(known)}")
            problem = _problem(name, known[name], value)
            if problem:
                raise FaultError(f"{name} must be {problem}, not {value!r}")
        return replace(self, **wanted)

    def as_object(self) -> dict[str, object]:
        return asdict(self)


def _problem(name: str, kind: object, value: object) -> str | None:
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if value is None and kind is not float:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "a number"
    if kind is not float and not isinstance(value, int):
        return "a whole number"
    if name == "error_share" and not 0 <= value <= 1:
        return "from 0 to 1"
    lowest = 1 if name == "crash_at_token" else 0
    return None if value >= lowest else f"at least {lowest}"


class Injector:
    """Brings the faults about that end the process or spoil a request."""

    def __init__(self, faults: Faults, leave: Callable[[int], object]) -> None:
        self._leave = leave
        self._owed_errors = 0.0
        self.set(faults)

    def set(self, faults: Faults) -> None:
        self.faults = faults
        self._tokens = 0
        self.counts_tokens = faults.crash_at_token is not None or faults.out_of_memory_at_token is not None

    def token(self) -> None:
        """One token more was generated. Only to be called where `counts_tokens`."""
        self._tokens += 1
        if self.faults.crash_at_token == self._tokens:
            self._die("RuntimeError: CUDA error: an illegal memory access was encountered", CRASHED)
        if self.faults.out_of_memory_at_token == self._tokens:
            self._die(OUT_OF_MEMORY_LINES, OUT_OF_MEMORY)

    def without_tokens(self) -> None:
        """Where memory does not even suffice for the first token."""
        if self.faults.out_of_memory_at_token == 0:
            self._die(OUT_OF_MEMORY_LINES, OUT_OF_MEMORY)

    def spoils_next_request(self) -> bool:
        """Spread evenly, so that a share of 0.25 is every fourth request and runs are alike."""
        self._owed_errors += self.faults.error_share
        if self._owed_errors < 1:
            return False
        self._owed_errors -= 1
        return True

    def _die(self, line: str, code: int) -> None:
        print(line, flush=True)
        self._leave(code if self.faults.exit_code is None else self.faults.exit_code)
