"""What a replica should carry, before anybody measured it: from the shape of the model and the data sheet of its GPU.

With W bytes of weights, P parameters that a token passes through, v bytes of KV cache a token, and t-fold tensor
parallelism, which is worth t^0.9; I prompt and O answer tokens, as ordinary chats have them, shorter where the context
is:

    a    = W/(t·bandwidth)                      a step reads all weights
    b_p  = 2·P/(t·arithmetic)                   a prompt token is computed
    b_d  = max(30 µs, b_p/2)                    an answer token, with its sampling
    g    = v/(t·bandwidth)                      and reads its context
    c    = b_p·I/O + b_d + g·(I + O/2)
    n*   = min((aim - a)/c, 0.85·KV tokens/(I + O/2), most at once)       rate = n*/(O·(a + c·n*))

Three quarters of the bandwidth and 45 % of the arithmetic are what engines come to. With that, 8B in BF16 has the step
costs of the simulator's three profiles within a fifth. It is a guess: decisions take seven tenths of it, and what is
measured takes its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from stoker.api.v1alpha1.engine import EngineName
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.fit.fit import usable_bytes
from stoker.core.fit.gpu import UnknownGpuError, gpu_named
from stoker.core.fit.speeds import Speed, speed_of
from stoker.core.scaling.capacity import itl_aim_seconds
from stoker.core.scaling.observation import Aims, Prior

# Engines that batch continuously: the steps of others cost otherwise.
_BATCHING = (EngineName.VLLM, EngineName.SGLANG, EngineName.TGI, EngineName.TENSORRT_LLM)
_USUAL_MOST_AT_ONCE = 256
_PROMPT_TOKENS, _ANSWER_TOKENS = 1150, 210
_READS, _COMPUTES = 0.75, 0.45
_SPLIT_POWER = 0.9
_LEAST_DECODING_SECONDS = 30e-6
_OF_CACHE = 0.85
_BYTES_EACH = 2
_OVERHEAD_BYTES = 2 << 30  # activations, graphs and framework, on each GPU


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model and its setup decides how fast it is."""

    parameters: int
    active_parameters: int
    weight_bytes: int
    kv_bytes_per_token: int
    context_tokens: int | None
    full_context_requests: int
    most_at_once: int
    tensor_parallel: int
    gpus: int
    gpu_memory_percent: int


def shape_of(deployment: ModelDeployment) -> Shape | None:
    """None before the weights were inspected, and where nothing can be said from the shape."""
    model, engine = deployment.status.model, deployment.spec.engine
    if model is None or not model.parameters or not model.kv_bytes_per_token or engine.name not in _BATCHING:
        return None
    weights = deployment.status.weights
    stored = weights.total_bytes if weights else None
    return Shape(
        parameters=model.parameters,
        active_parameters=model.active_parameters or model.parameters,
        weight_bytes=stored or model.parameters * _BYTES_EACH,
        kv_bytes_per_token=model.kv_bytes_per_token,
        context_tokens=engine.context_length or model.context_length,
        full_context_requests=model.full_context_concurrency or 0,
        most_at_once=engine.max_concurrency or _USUAL_MOST_AT_ONCE,
        tensor_parallel=engine.tensor_parallel,
        gpus=engine.tensor_parallel * engine.pipeline_parallel,
        gpu_memory_percent=engine.gpu_memory_percent,
    )


def prior_of(shape: Shape | None, most_at_once: int | None, products: Iterable[str], aims: Aims) -> Prior:
    """Of the slowest product that a replica may land on; where one of them is unknown, so is the rate."""
    guesses = [_guess(shape, product, aims) for product in sorted(set(products))] if shape else []
    known = [guess for guess in guesses if guess is not None]
    if not known or len(known) < len(guesses):
        return Prior(max_concurrency=most_at_once)
    n_star, rate = min(known, key=lambda guess: guess[1])
    return Prior(n_star, rate, most_at_once)


@lru_cache(maxsize=4096)
def _guess(shape: Shape, product: str, aims: Aims) -> tuple[float, float] | None:
    """Requests at once, and finished a second."""
    speed = speed_of(product)
    cache_tokens = _cache_tokens(shape, product)
    if speed is None or cache_tokens is None:
        return None
    prompt, answer = _usual_request(shape.context_tokens)
    context = prompt + answer / 2
    base, each = _step(shape, speed, prompt / answer, context)
    by_cache = max(_OF_CACHE * cache_tokens / context, float(shape.full_context_requests))
    n_star = max(1.0, min((itl_aim_seconds(aims) - base) / each, by_cache, float(shape.most_at_once)))
    return n_star, n_star / (answer * (base + each * n_star))


def _usual_request(context_tokens: int | None) -> tuple[float, float]:
    """A context too short for an ordinary chat is taken for three quarters filled."""
    share = min(1.0, 0.75 * (context_tokens or 1 << 20) / (_PROMPT_TOKENS + _ANSWER_TOKENS))
    return share * _PROMPT_TOKENS, share * _ANSWER_TOKENS


def _step(shape: Shape, speed: Speed, prompt_per_answer_token: float, context: float) -> tuple[float, float]:
    """Seconds of a step, and of each request in it."""
    split = float(shape.tensor_parallel**_SPLIT_POWER)
    bytes_per_second = _READS * speed.gigabytes_per_second * 1e9 * split
    prompt_token = 2 * shape.active_parameters / (_COMPUTES * speed.teraflops * 1e12 * split)
    decoding = max(_LEAST_DECODING_SECONDS, prompt_token / 2)
    each = prompt_token * prompt_per_answer_token + decoding + shape.kv_bytes_per_token / bytes_per_second * context
    return shape.weight_bytes / bytes_per_second, each


def _cache_tokens(shape: Shape, product: str) -> float | None:
    """What is left for the KV cache, over all GPUs of a replica."""
    try:
        memory = gpu_named(product).memory_bytes
    except UnknownGpuError:
        return None
    if memory is None:
        return None
    room = shape.gpus * (shape.gpu_memory_percent * usable_bytes(memory) / 100 - _OVERHEAD_BYTES) - shape.weight_bytes
    return max(0.0, room) / shape.kv_bytes_per_token
