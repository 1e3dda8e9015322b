"""What families of models leave out of their configurations, and how their layers are built."""

from collections.abc import Mapping
from typing import Any

# Encoders read the whole text at once, and keep nothing of it.
ENCODERS = frozenset(
    {
        "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "gte", "jina_bert",
        "modernbert", "mpnet", "new", "nomic_bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "xmod",
    }
)  # fmt: skip
# Their positions start after the padding token.
OFFSET_POSITIONS = frozenset({"camembert", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl", "xmod"})
# One layer up and one down, where the others have a gate beside the first.
UNGATED = frozenset(
    {
        "bert", "bloom", "camembert", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "mpt", "nemotron",
        "nemotron_h", "opt", "phi", "roberta", "starcoder2", "whisper", "xlm-roberta",
    }
)  # fmt: skip
# The output head is the token embedding unless the configuration says no.
TIED = frozenset(
    {
        "bloom", "cohere", "cohere2", "falcon", "gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n",
        "gemma3n_text", "gemma4", "gemma4_text", "gpt2", "gpt_bigcode", "lfm2", "mpt", "opt", "starcoder2", "t5",
        "whisper",
    }
)  # fmt: skip

_GEMMA3: Mapping[str, Any] = {
    "vocab_size": 262_208,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "max_position_embeddings": 131_072,
    "sliding_window_pattern": 6,
    "hidden_activation": "gelu_pytorch_tanh",
}
_LLAMA: Mapping[str, Any] = {
    "vocab_size": 32_000,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
}
# What a whole configuration of the family may leave out.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "falcon": {"max_position_embeddings": 2048},
    "gemma": {"head_dim": 256},
    "gemma2": {"head_dim": 256, "sliding_window_pattern": 2},
    "gemma3_text": _GEMMA3,
    "gpt_oss": {"sliding_window_pattern": 2},
    "cohere2": {"sliding_window_pattern": 4},
    "exaone4": {"sliding_window_pattern": 4},
    "qwen3": {"head_dim": 128},
    "qwen3_next": {"full_attention_interval": 4, "head_dim": 256},
    "jamba": {"attn_layer_period": 8, "attn_layer_offset": 4, "expert_layer_period": 2, "expert_layer_offset": 1},
}
# A part of a model with several parts says only where it differs from its family.
_NESTED_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "llama": _LLAMA,
    "mistral": {**_LLAMA, "intermediate_size": 14_336, "num_key_value_heads": 8, "max_position_embeddings": 131_072},
}


def defaults(model_type: str, nested: bool) -> Mapping[str, Any]:
    return {**(_NESTED_DEFAULTS.get(model_type, {}) if nested else {}), **_DEFAULTS.get(model_type, {})}
