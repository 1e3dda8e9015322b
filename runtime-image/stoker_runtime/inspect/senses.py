"""What a model of text and images has beside its language model."""

from stoker_runtime.inspect.configuration import Configuration
from stoker_runtime.inspect.fields import Fields


def sense_parameters(configuration: Configuration) -> int:
    """Of the tower that sees, and of what carries its output over. Sound is not counted."""
    vision = configuration.top.part("vision_config")
    if vision is None:
        return 0
    family = configuration.top.text("model_type") or ""
    if family.startswith("qwen"):
        return _qwen(vision, family, configuration.hidden_size)
    return _plain(vision, configuration.hidden_size)


def _plain(vision: Fields, text_hidden: int) -> int:
    """Attention of four matrices and an inner layer of two, all with biases, after patches and positions."""
    hidden, layers = vision.whole("hidden_size"), vision.whole("num_hidden_layers", "depth")
    if not hidden or not layers:
        return 0
    inner = vision.whole("intermediate_size") or 4 * hidden
    patch = vision.whole("patch_size") or 14
    patches = ((vision.whole("image_size") or 0) // patch) ** 2
    block = 4 * (hidden * hidden + hidden) + 2 * hidden * inner + inner + hidden + 4 * hidden
    embedding = 3 * patch * patch * hidden + hidden + patches * hidden
    return layers * block + embedding + 3 * hidden + hidden * text_hidden


def _qwen(vision: Fields, family: str, text_hidden: int) -> int:
    """Four neighbouring patches are merged into one token by two layers."""
    hidden = vision.whole("embed_dim") or vision.whole("hidden_size") or 1280
    depth = vision.whole("depth") or 32
    gated = family.startswith("qwen2_5")
    inner = vision.whole("intermediate_size") or hidden * (vision.whole("mlp_ratio") or 4)
    matrices = 3 if gated else 2
    block = 4 * hidden * hidden + 4 * hidden + matrices * hidden * inner + (matrices - 1) * inner + hidden
    block += 2 * hidden if gated else 4 * hidden
    patch, time = vision.whole("patch_size") or 14, vision.whole("temporal_patch_size") or 2
    merged = hidden * (vision.whole("spatial_merge_size") or 2) ** 2
    merger = merged * merged + merged + merged * text_hidden + text_hidden + 2 * hidden
    mergers = 1 + len(vision.wholes("deepstack_visual_indexes") or ())
    positions = (vision.whole("num_position_embeddings") or 0) * hidden
    return depth * block + 3 * time * patch * patch * hidden + mergers * merger + positions
