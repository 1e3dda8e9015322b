"""What a measurement prints and keeps."""

from collections.abc import Mapping
from typing import Any


class Figures:
    """Prints each figure as it comes and keeps it; beside some there stands the most that they should be."""

    def __init__(self, targets: Mapping[str, float]) -> None:
        self._targets = targets
        self.kept: dict[str, dict[str, Any]] = {}

    def add(self, name: str, value: float, unit: str) -> None:
        kept: dict[str, Any] = {"value": round(value, 3), "unit": unit}
        line = f"{value:10.3f} {unit:14} {name}"
        if (target := self._targets.get(name)) is not None:
            kept["target"] = target
            line += f"   (target: at most {target:g}, {'met' if value <= target else 'MISSED'})"
        self.kept[name] = kept
        print(line, flush=True)
