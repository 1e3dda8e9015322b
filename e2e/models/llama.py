"""The sizes of the Llamas, and the tensors that such a model has."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Llama:
    vocabulary: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    context: int
    rope_theta: float = 10000.0
    norm_epsilon: float = 1e-5
    window: int | None = None  # tokens that a layer looks back to; None: to the first

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor, in the order in which they are stored."""
        query, key = self.heads * self.head_size, self.kv_heads * self.head_size
        shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, self.hidden)}
        for index in range(self.layers):
            layer = f"model.layers.{index}"
            shapes |= {
                f"{layer}.input_layernorm.weight": (self.hidden,),
                f"{layer}.self_attn.q_proj.weight": (query, self.hidden),
                f"{layer}.self_attn.k_proj.weight": (key, self.hidden),
                f"{layer}.self_attn.v_proj.weight": (key, self.hidden),
                f"{layer}.self_attn.o_proj.weight": (self.hidden, query),
                f"{layer}.post_attention_layernorm.weight": (self.hidden,),
                f"{layer}.mlp.gate_proj.weight": (self.intermediate, self.hidden),
                f"{layer}.mlp.up_proj.weight": (self.intermediate, self.hidden),
                f"{layer}.mlp.down_proj.weight": (self.hidden, self.intermediate),
            }
        return shapes | {"model.norm.weight": (self.hidden,), "lm_head.weight": (self.vocabulary, self.hidden)}


# Head size 64 is what the CPU attention kernels of vLLM take.
TINY = Llama(
    vocabulary=512, hidden=256, intermediate=512, layers=2, heads=4, kv_heads=2, head_size=64, context=2048
)  # fmt: skip
# A step of it takes longer than the server around it needs for a step's tokens, as on a GPU.
SMALL = Llama(
    vocabulary=512, hidden=512, intermediate=1408, layers=4, heads=8, kv_heads=4, head_size=64, context=2048
)  # fmt: skip
# SMALL with layers that look back to a window's tokens alone: a step takes no longer after a million of them, and what
# is behind the window needs no memory.
LASTING = replace(SMALL, context=1_048_576, window=1024)
