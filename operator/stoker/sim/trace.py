"""Requests as they arrive: from a CSV file or from a generator."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

COLUMNS = ("arrival_s", "prompt_tokens", "output_tokens")
_PREFIX = "prefix"  # optional: requests with the same one begin with the same tokens
_PREFIX_SHARE = 0.5  # of a prompt
_MOST_PROBLEMS = 5
_LONGEST_SECONDS = 31 * 86_400.0


class TraceError(Exception):
    """Sentences that name the line, what was found and what to write."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Trace:
    name: str
    duration_seconds: float
    arrivals: tuple[float, ...]
    prompts: tuple[int, ...]
    outputs: tuple[int, ...]
    prefixes: tuple[int, ...] = ()  # empty: no two requests share a beginning
    prefix_share: float = 0.0  # of a prompt, that its prefix is

    def __len__(self) -> int:
        return len(self.arrivals)

    @property
    def mean_prompt(self) -> float:
        return sum(self.prompts) / max(1, len(self.prompts))

    @property
    def mean_output(self) -> float:
        return max(1.0, sum(self.outputs) / max(1, len(self.outputs)))

    def longest(self) -> int:
        """Tokens of the largest request: a replica's cache must hold it."""
        return max((prompt + output for prompt, output in zip(self.prompts, self.outputs, strict=True)), default=0)


def trace_from_csv(name: str, lines: Iterable[str]) -> Trace:
    """Raises TraceError. Lines may come in any order of time."""
    reader = csv.DictReader(lines)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        found = ", ".join(reader.fieldnames or ()) or "nothing"
        raise TraceError([f"{name}: the first line must name {', '.join(COLUMNS)}; found {found}"])
    rows: list[tuple[float, int, int, int]] = []
    problems: list[str] = []
    for row in reader:
        try:
            rows.append(_row(row))
        except ValueError as wrong:
            problems.append(f"{name}: line {reader.line_num}: {wrong}")
            if len(problems) >= _MOST_PROBLEMS:
                break
    if not rows and not problems:
        problems.append(f"{name}: holds no request: give at least one line below the names")
    if problems:
        raise TraceError(problems)
    rows.sort(key=lambda row: row[0])
    shared = _PREFIX in (reader.fieldnames or ())
    return Trace(
        name=name,
        duration_seconds=rows[-1][0],
        arrivals=tuple(row[0] for row in rows),
        prompts=tuple(row[1] for row in rows),
        outputs=tuple(row[2] for row in rows),
        prefixes=tuple(row[3] for row in rows) if shared else (),
        prefix_share=_PREFIX_SHARE if shared else 0.0,
    )


def _row(row: dict[str, str | None]) -> tuple[float, int, int, int]:
    arrival = _number(row, "arrival_s")
    if arrival > _LONGEST_SECONDS:
        raise ValueError(f"arrival_s counts seconds from the start of the trace, found {row['arrival_s']!r}")
    if not math.isfinite(arrival) or arrival < 0:
        raise ValueError(f"arrival_s must be 0 or more seconds, found {row['arrival_s']!r}")
    prompt, output = (_number(row, column) for column in COLUMNS[1:])
    if not prompt >= 1 or not math.isfinite(prompt):
        raise ValueError(f"prompt_tokens must be at least 1, found {row['prompt_tokens']!r}")
    if not output >= 0 or not math.isfinite(output):
        raise ValueError(f"output_tokens must be at least 0, found {row['output_tokens']!r}")
    prefix = row.get(_PREFIX)
    return arrival, int(prompt), int(output), int(prefix) if prefix else -1


def _number(row: dict[str, str | None], column: str) -> float:
    text = row[column]
    try:
        return float(text or "")
    except ValueError:
        raise ValueError(f"{column} must be a number, found {text!r}") from None
