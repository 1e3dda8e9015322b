"""Models as their headers and configurations describe them."""

from dataclasses import replace

from stoker_runtime.facts import Attention, Facts, Format, LayerGroup


def dense(  # noqa: PLR0917 - a configuration, in the order in which people say it
    layers: int,
    hidden: int,
    inner: int,
    heads: int,
    kv_heads: int,
    head_size: int,
    vocabulary: int,
    *,
    tied: bool = False,
    context_length: int | None = 131_072,
) -> Facts:
    """A model of grouped-query attention in bfloat16, with gated layers."""
    attention = hidden * head_size * (2 * heads + 2 * kv_heads)
    embedded = vocabulary * hidden * (1 if tied else 2)
    parameters = layers * (attention + 3 * hidden * inner + 2 * hidden) + hidden + embedded
    return Facts(
        format=Format.SAFETENSORS,
        parameters=parameters,
        active_parameters=parameters,
        weight_bytes=2 * parameters,
        embedding_bytes=2 * embedded,
        layers=layers,
        groups=(LayerGroup(layers, Attention.FULL, kv_heads, head_size, head_size),),
        dtype="bfloat16",
        hidden_size=hidden,
        intermediate_size=inner,
        attention_heads=heads,
        vocabulary=vocabulary,
        context_length=context_length,
    )


LLAMA_8B = dense(32, 4096, 14_336, 32, 8, 128, 128_256)
LLAMA_70B = dense(80, 8192, 28_672, 64, 8, 128, 128_256)
LLAMA_405B = dense(126, 16_384, 53_248, 128, 8, 128, 128_256)
LLAMA2_7B = dense(32, 4096, 11_008, 32, 32, 128, 32_000, context_length=4096)
QWEN_7B = dense(28, 3584, 18_944, 28, 4, 128, 152_064, context_length=32_768)
TINY = dense(24, 896, 4864, 14, 2, 64, 151_936, tied=True, context_length=32_768)

# One key and value head for 71 query heads; the inner layer is not gated.
FALCON_7B = Facts(
    format=Format.SAFETENSORS,
    parameters=6_921_720_704,
    active_parameters=6_921_720_704,
    weight_bytes=13_843_441_408,
    embedding_bytes=2 * 65_024 * 4544,
    layers=32,
    groups=(LayerGroup(32, Attention.FULL, 1, 64, 64),),
    dtype="bfloat16",
    hidden_size=4544,
    intermediate_size=18_176,
    attention_heads=71,
    vocabulary=65_024,
    context_length=2048,
)
DEEPSEEK_V3 = Facts(
    format=Format.SAFETENSORS,
    parameters=671_026_419_200,
    active_parameters=37_000_000_000,
    weight_bytes=673_000_000_000,
    embedding_bytes=2 * 2 * 129_280 * 7168,
    layers=61,
    groups=(LayerGroup(61, Attention.LATENT, key_size=512 + 64),),
    quantization="fp8",
    dtype="bfloat16",
    hidden_size=7168,
    intermediate_size=18_432,
    attention_heads=128,
    vocabulary=129_280,
    experts=256,
    context_length=163_840,
)
# 10 of 62 layers see everything, the others the last 1,024 tokens.
GEMMA3_27B = replace(
    dense(62, 5376, 21_504, 32, 16, 128, 262_208, tied=True),
    groups=(
        LayerGroup(52, Attention.SLIDING, 16, 128, 128, window_tokens=1024),
        LayerGroup(10, Attention.FULL, 16, 128, 128),
    ),
    multimodal=True,
)
HYBRID = replace(
    dense(48, 2048, 8192, 32, 8, 64, 100_352),
    groups=(LayerGroup(44, Attention.STATE, state_elements=500_000), LayerGroup(4, Attention.FULL, 8, 64, 64)),
)
FAMILIES = (LLAMA_8B, LLAMA_70B, LLAMA2_7B, QWEN_7B, TINY, FALCON_7B, DEEPSEEK_V3, GEMMA3_27B, HYBRID)


def in_four_bits(facts: Facts) -> Facts:
    """Layers of 4 bits, with scales and zeros for groups of 128."""
    body = facts.parameters - facts.embedding_bytes // 2
    return replace(facts, weight_bytes=facts.embedding_bytes + body * 52 // 100, quantization="awq")
