"""How each engine is started. One profile a file."""

from collections.abc import Mapping

from stoker.api.v1alpha1.engine import EngineName
from stoker.core.engine import EngineProfile
from stoker.engines.bentoml import BentoML
from stoker.engines.custom import Custom
from stoker.engines.exllamav2 import ExLlamaV2
from stoker.engines.llamacpp import LlamaCpp
from stoker.engines.ollama import Ollama
from stoker.engines.sglang import SGLang
from stoker.engines.simulated import Simulated
from stoker.engines.tensorrt_llm import TensorRtLlm
from stoker.engines.tgi import Tgi
from stoker.engines.transformers import Transformers
from stoker.engines.triton import Triton
from stoker.engines.vllm import Vllm

PROFILES: Mapping[str, EngineProfile] = {
    EngineName.VLLM: Vllm(),
    EngineName.SGLANG: SGLang(),
    EngineName.LLAMACPP: LlamaCpp(),
    EngineName.OLLAMA: Ollama(),
    EngineName.TGI: Tgi(),
    EngineName.TRITON: Triton(),
    EngineName.TENSORRT_LLM: TensorRtLlm(),
    EngineName.TRANSFORMERS: Transformers(),
    EngineName.EXLLAMAV2: ExLlamaV2(),
    EngineName.BENTOML: BentoML(),
    EngineName.CUSTOM: Custom(),
    EngineName.SIMULATED: Simulated(),
}
