"""The answer for programs."""

from collections.abc import Sequence
from typing import Any

from stoker.core.fit.catalogue import Product
from stoker.core.fit.fit import Fit
from stoker.core.fit.flags import flags
from stoker.core.fit.remedies import Remedy
from stoker.core.fit.sentence import remedy_text, sentence
from stoker_runtime.facts import Facts
from stoker_runtime.inspect.engines import engines_for

Json = dict[str, Any]


def judged(model: str, facts: Facts, found: Fit, ways: Sequence[Remedy], fewest: Fit | None) -> Json:
    remedies = [
        {"change": way.change, "quantization": way.quantization, "sentence": remedy_text(way, found), **_fit(way.fit)}
        for way in ways
    ]
    smallest = None if fewest is None else _spread(fewest)
    told = {"sentence": sentence(found, ways), **_fit(found)}
    return {"model": _model(model, facts), **told, "fewestGpus": smallest, "remedies": remedies}


def compared(model: str, facts: Facts, rows: Sequence[tuple[Product, Fit]]) -> Json:
    return {"model": _model(model, facts), "products": [_fit(found) for _, found in rows]}


def _model(model: str, facts: Facts) -> Json:
    return {
        "source": model,
        "parameters": facts.parameters,
        "weightBytes": facts.weight_bytes,
        "quantization": facts.quantization,
        "contextLength": facts.context_length,
        "engines": list(engines_for(facts.format, facts.quantization)),
    }


def _fit(found: Fit) -> Json:
    setup, parts = found.setup, found.parts
    return {
        "verdict": found.verdict,
        "obstacles": list(found.obstacles),
        "gpu": {"name": setup.gpu.name, "memoryBytes": setup.gpu.memory_bytes, "budgetBytes": found.budget_bytes},
        "engine": setup.engine,
        **_spread(found),
        "contextLength": found.context_tokens,
        "bytesPerGpu": {
            "weights": parts.weights_bytes,
            "kvCache": parts.cache_bytes,
            "activations": parts.activations_bytes,
            "graphs": parts.graphs_bytes,
            "framework": parts.framework_bytes,
            "total": parts.total_bytes,
            "left": found.left_bytes,
        },
        "kvBytesPerToken": found.token_bytes,
        "kvBytesPerTokenPerGpu": found.token_bytes_per_gpu,
        "requestsAtOnce": found.requests_at_once,
        "requestsAtHalfContext": found.requests_at_half,
        "flags": list(flags(found)),
    }


def _spread(found: Fit) -> Json:
    setup = found.setup
    return {
        "gpus": setup.gpus,
        "tensorParallel": setup.tensor_parallel,
        "pipelineParallel": setup.pipeline_parallel,
    }
