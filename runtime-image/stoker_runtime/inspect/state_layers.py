"""Layers that keep a state of one size: what it takes per sequence, by kind.

Mamba        inner · state + inner · (kernel - 1)
Mamba 2      heads · head size · state + (inner + 2 · groups · state) · (kernel - 1)
delta rule   value heads · key size · value size + (2 · keys + values) · (kernel - 1)
short conv   hidden · kernel
lightning    heads · head size²
"""

from stoker_runtime.inspect.fields import Fields
from stoker_runtime.inspect.heads import HIDDEN, heads


def state_elements(fields: Fields, kind: str) -> int:
    """`kind` is the layer's type as the configuration names it."""
    if kind == "conv":
        return fields.required(*HIDDEN) * (fields.whole("conv_L_cache") or 3)
    if fields.whole("linear_num_value_heads"):
        return _delta_rule(fields)
    if fields.part("linear_attn_config"):
        return _kimi_delta(fields)
    if fields.whole("mamba_n_heads", "mamba_num_heads") or fields.text("model_type") == "mamba2":
        return _mamba2(fields)
    if kind == "linear_attention":
        kept = heads(fields)
        return kept.queries * kept.key_size * kept.value_size
    return _mamba(fields)


def _mamba(fields: Fields) -> int:
    hidden = fields.required(*HIDDEN)
    inner = fields.whole("intermediate_size") if "mamba" in (fields.text("model_type") or "") else None
    inner = inner or hidden * (fields.whole("mamba_expand", "expand") or 2)
    state, kernel = _ssm_state(fields, 16), _kernel(fields)
    return inner * state + inner * (kernel - 1)


def _mamba2(fields: Fields) -> int:
    inner = mamba2_inner(fields)
    groups = fields.whole("mamba_n_groups", "mamba_ngroups", "n_groups") or 1
    state, kernel = _ssm_state(fields, 128), _kernel(fields)
    return inner * state + (inner + 2 * groups * state) * (kernel - 1)


def mamba2_inner(fields: Fields) -> int:
    """heads · head size, which the configuration may leave to the expansion."""
    count = fields.whole("mamba_n_heads", "mamba_num_heads", "num_heads")
    size = None if fields.raw("mamba_d_head") == "auto" else fields.whole("mamba_d_head", "mamba_head_dim", "head_dim")
    if count and size:
        return count * size
    expanded = fields.whole("mamba_d_ssm")
    return expanded or fields.required(*HIDDEN) * (fields.whole("mamba_expand", "expand") or 2)


def _ssm_state(fields: Fields, usual: int) -> int:
    return fields.whole("mamba_d_state", "ssm_state_size", "state_size") or usual


def _kernel(fields: Fields) -> int:
    return fields.whole("mamba_d_conv", "conv_kernel", "d_conv") or 4


def _delta_rule(fields: Fields) -> int:
    keys, values = fields.required("linear_num_key_heads"), fields.required("linear_num_value_heads")
    key_size, value_size = fields.required("linear_key_head_dim"), fields.required("linear_value_head_dim")
    kernel = fields.whole("linear_conv_kernel_dim") or 4
    return values * key_size * value_size + (2 * keys * key_size + values * value_size) * (kernel - 1)


def _kimi_delta(fields: Fields) -> int:
    linear = fields.part("linear_attn_config")
    assert linear is not None  # noqa: S101 - the caller looked
    count, size = linear.required("num_heads"), linear.required("head_dim")
    kernel = linear.whole("short_conv_kernel_size") or 4
    return count * size * size + 3 * count * size * (kernel - 1)
