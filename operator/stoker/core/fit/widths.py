"""How many bytes an element takes while a model runs."""

from stoker_runtime.facts import Facts

_BYTES = {"float64": 8, "float32": 4, "float": 4, "float16": 2, "half": 2, "bfloat16": 2}
_USUAL = 2


def compute_bytes(facts: Facts) -> int:
    """Of an activation. Unknown: two, as bfloat16 and float16 have."""
    return _BYTES.get(facts.dtype or "", _USUAL)


def divided(amount: int, parts: int) -> int:
    """Rounded up."""
    return -(-amount // parts)
