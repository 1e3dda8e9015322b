"""The JSON files beside the weights, as transformers and vLLM read them."""

import json
from typing import Any

from e2e.models.llama import Llama
from e2e.models.tokenizer import BEGIN, END, HEADER_END, HEADER_START, PAD, SPECIALS, TURN_END, Tokenizer

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    f"{HEADER_START}{{{{ message['role'] }}}}{HEADER_END}\n\n{{{{ message['content'] | trim }}}}{TURN_END}"
    "{% endfor %}{% if add_generation_prompt %}"
    f"{HEADER_START}assistant{HEADER_END}\n\n"
    "{% endif %}"
)


def describing_files(llama: Llama, tokenizer: Tokenizer) -> dict[str, str]:
    contents = {
        "config.json": _config(llama, tokenizer),
        "generation_config.json": _generation(tokenizer),
        "tokenizer.json": _tokenizer(tokenizer),
        "tokenizer_config.json": _tokenizer_config(llama),
        "special_tokens_map.json": {"bos_token": BEGIN, "eos_token": TURN_END, "pad_token": PAD},
    }
    return {name: json.dumps(content, indent=2, ensure_ascii=True) + "\n" for name, content in contents.items()}


def _config(llama: Llama, tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": llama.vocabulary,
        "hidden_size": llama.hidden,
        "intermediate_size": llama.intermediate,
        "num_hidden_layers": llama.layers,
        "num_attention_heads": llama.heads,
        "num_key_value_heads": llama.kv_heads,
        "head_dim": llama.head_size,
        "max_position_embeddings": llama.context,
        "rope_theta": llama.rope_theta,
        "rms_norm_eps": llama.norm_epsilon,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": False,
        "bos_token_id": tokenizer.ids[BEGIN],
        "eos_token_id": tokenizer.ids[TURN_END],
        "pad_token_id": tokenizer.ids[PAD],
        "torch_dtype": "bfloat16",
        "use_cache": True,
    } | _window(llama)


def _window(llama: Llama) -> dict[str, Any]:
    if llama.window is None:
        return {}
    return {"sliding_window": llama.window, "layer_types": ["sliding_attention"] * llama.layers}


def _generation(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "bos_token_id": tokenizer.ids[BEGIN],
        "eos_token_id": [tokenizer.ids[TURN_END], tokenizer.ids[END]],
        "pad_token_id": tokenizer.ids[PAD],
        "do_sample": True,
        "top_k": 1,  # greedy, unless a request says otherwise, so that answers repeat
    }


def _tokenizer(tokenizer: Tokenizer) -> dict[str, Any]:
    begin = {"SpecialToken": {"id": BEGIN, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": tokenizer.ids[token], "content": token, "special": True, "normalized": False,
                "single_word": False, "lstrip": False, "rstrip": False,
            }
            for token in SPECIALS
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, first],
            "pair": [begin, first, second],
            "special_tokens": {BEGIN: {"id": BEGIN, "ids": [tokenizer.ids[BEGIN]], "tokens": [BEGIN]}},
        },
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: index for token, index in tokenizer.ids.items() if token not in SPECIALS},
            "merges": [" ".join(pair) for pair in tokenizer.merges],
        },
    }  # fmt: skip


def _tokenizer_config(llama: Llama) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": llama.context,
        "bos_token": BEGIN,
        "eos_token": TURN_END,
        "pad_token": PAD,
        "additional_special_tokens": [HEADER_START, HEADER_END],
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
