# ruff: noqa: INP001 - it runs inside the image
"""Let vLLM look at the Llama class once, so that no start has to: it keeps what it saw below VLLM_CACHE_ROOT."""

import os
import sys
from pathlib import Path

from vllm.model_executor.models.registry import ModelRegistry  # type: ignore[import-not-found]

ModelRegistry.models["LlamaForCausalLM"].inspect_model_cls()
if not any(Path(os.environ["VLLM_CACHE_ROOT"], "modelinfos").glob("*LlamaForCausalLM.json")):
    sys.exit("vLLM kept no model information: look where this version keeps it")
