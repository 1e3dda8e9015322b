"""How long a text the model takes, by its configuration."""

from stoker_runtime.inspect.families import OFFSET_POSITIONS
from stoker_runtime.inspect.fields import Fields

_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "max_target_positions",
    "max_seq_len",
    "seq_length",
    "max_sequence_length",
)
# Their authors give the stretched length already.
_STRETCHED = frozenset({"default", "llama3", "longrope", "mrope", "proportional", "su"})


def context_length(fields: Fields) -> int | None:
    """None where the files do not say: models without positions take any length."""
    length = fields.whole(*_LENGTHS)
    if length is None:
        return None
    family = fields.text("model_type") or ""
    if family in OFFSET_POSITIONS:
        return max(length - 2, 1)
    scaling = fields.part("rope_scaling") or fields.part("rope_parameters")
    if scaling is None or family.startswith(("gemma3", "gemma4")):
        return length
    return _stretched(scaling, length)


def _stretched(scaling: Fields, length: int) -> int:
    kind, factor = scaling.text("rope_type", "type"), scaling.raw("factor")
    if kind in _STRETCHED or kind is None or not isinstance(factor, int | float) or not 1 <= factor <= 1024:
        return length
    original = scaling.whole("original_max_position_embeddings")
    if kind == "yarn" and original:
        return max(length, int(original * factor))
    return int(length * factor)
