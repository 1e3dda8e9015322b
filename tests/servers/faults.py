"""What goes wrong, for which requests, and what was served. Safe between the threads of a server and its test."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

METADATA_ADDRESS = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True)
class Fault:
    """One way to misbehave. Offsets count the bytes of the whole content, also where a range is asked for."""

    status: int | None = None
    retry_after: str | None = None  # seconds or a date, with a status
    redirect_to: str | None = None
    delay_seconds: float = 0.0  # before the head
    drop_at_byte: int | None = None  # the connection is reset there
    stall_at_byte: int | None = None  # nothing more comes, and the connection stays
    wrong_byte_at: int | None = None  # one bit is another there
    cut_to_bytes: int | None = None  # the content ends there, and Content-Length says so
    bytes_per_second: float | None = None


@dataclass
class _Rule:
    fault: Fault
    path: str
    method: str
    left: int | None

    def fits(self, method: str, path: str) -> bool:
        return self.left != 0 and fnmatchcase(path, self.path) and fnmatchcase(method, self.method)


@dataclass
class Served:
    """One request, and how much of its body left. Counted before it leaves, so a client never knows more."""

    method: str
    path: str
    first_byte: int
    sent_bytes: int
    status: int


class Faults:
    """Changeable while the server runs. The first rule that fits a request counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._served: list[Served] = []
        self._requests: Counter[str] = Counter()
        self.released = threading.Event()  # ends what stalls

    def add(self, fault: Fault, *, path: str = "*", method: str = "*", requests: int | None = None) -> None:
        """For the next `requests` that fit, or for all to come."""
        with self._lock:
            self._rules.append(_Rule(fault, path, method, requests))

    def clear(self) -> None:
        """From now on all goes well, and what stalls ends."""
        with self._lock:
            self._rules.clear()
            released, self.released = self.released, threading.Event()
        released.set()

    def take(self, method: str, path: str) -> Fault:
        """What this request meets."""
        with self._lock:
            self._requests[path] += 1
            for rule in self._rules:
                if rule.fits(method, path):
                    rule.left = None if rule.left is None else rule.left - 1
                    return rule.fault
        return Fault()

    def record(self, served: Served) -> None:
        with self._lock:
            self._served.append(served)

    def requests(self, path: str = "*") -> int:
        """How many came, also those still being answered."""
        with self._lock:
            return sum(count for name, count in self._requests.items() if fnmatchcase(name, path))

    def sent_bytes(self, path: str = "*") -> int:
        """Of bodies, also of answers that broke off."""
        return sum(one.sent_bytes for one in self.served(path))

    def served(self, path: str = "*") -> list[Served]:
        with self._lock:
            return [one for one in self._served if fnmatchcase(one.path, path)]

    def forget(self) -> None:
        """Counts from zero."""
        with self._lock:
            self._served.clear()
            self._requests.clear()


def read_fault(value: Mapping[str, Any]) -> tuple[Fault, dict[str, Any]]:
    """A fault and the options of `add`, out of JSON."""
    known = {field.name for field in fields(Fault)}
    options = {name: value[name] for name in ("path", "method", "requests") if name in value}
    unknown = set(value) - known - set(options)
    if unknown:
        raise ValueError(f"no fault {min(unknown)!r}: choose of {', '.join(sorted(known))}")
    return Fault(**{name: value[name] for name in known & set(value)}), options
