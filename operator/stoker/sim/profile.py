"""A replica's model in a file: what `stoker calibrate` writes and `stoker simulate --gpu-profile` reads."""

import json
import math
from typing import Any

from stoker_runtime.simulated.timing import Replica, StepCost

_COSTS = ("base_seconds", "per_prompt_token_seconds", "per_decoding_seconds", "per_cached_token_seconds")
_COUNTS = ("kv_tokens", "max_sequences", "step_tokens")


class ProfileError(Exception):
    """Sentences that name the field, what was found and what to write."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


def to_json(name: str, replica: Replica, about: dict[str, Any]) -> str:
    costs = {field: float(f"{getattr(replica.cost, field):.4g}") for field in _COSTS}
    counts = {field: getattr(replica, field) for field in _COUNTS}
    return json.dumps({"name": name, **costs, **counts, "measured": about}, indent=2) + "\n"


def from_json(text: str) -> tuple[str, Replica]:
    """Raises ProfileError. What is not known here is left alone: a newer version may have written it."""
    try:
        found = json.loads(text)
    except ValueError as wrong:
        raise ProfileError([f"is no JSON ({wrong}): give a file that `stoker calibrate` wrote"]) from wrong
    if not isinstance(found, dict):
        raise ProfileError([f"must be an object with {', '.join((*_COSTS, *_COUNTS))}"])
    problems = [
        f"{field}: must be a number of 0 or more, found {found.get(field)!r}"
        for field in _COSTS
        if not _is_number(found.get(field)) or found[field] < 0
    ]
    problems += [
        f"{field}: must be a whole number above 0, found {found.get(field)!r}"
        for field in _COUNTS
        if not isinstance(found.get(field), int) or isinstance(found[field], bool) or found[field] < 1
    ]
    if not problems and found["base_seconds"] + found["per_decoding_seconds"] <= 0:
        problems.append(
            "base_seconds: a step that costs no time has no rate: give base_seconds or per_decoding_seconds"
        )
    if not problems and found["step_tokens"] < found["max_sequences"]:
        problems.append(
            f"step_tokens: must be at least max_sequences, {found['max_sequences']}, found {found['step_tokens']}"
        )
    if problems:
        raise ProfileError(problems)
    cost = StepCost(*(float(found[field]) for field in _COSTS))
    return str(found.get("name", "calibrated")), Replica(cost, *(found[field] for field in _COUNTS))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
