"""The answer to what was asked on the command line."""

import argparse
import json

from stoker.api.v1alpha1.engine import EngineName
from stoker.cli.fit import documents, texts
from stoker.cli.input_error import InputError
from stoker.core.fit.comparison import compared
from stoker.core.fit.fit import Verdict, fit
from stoker.core.fit.gpu import Gpu, UnknownGpuError, gpu_named
from stoker.core.fit.remedies import remedies, smallest_spread
from stoker.core.fit.setup import CacheType, Setup
from stoker_runtime.facts import Facts

_YES, _NO = 0, 1


def answer(facts: Facts, options: argparse.Namespace) -> tuple[int, str]:
    """Exit code and text."""
    setup = _setup(options)
    return _compare(facts, setup, options) if options.gpu is None else _judge(facts, setup, options)


def _judge(facts: Facts, setup: Setup, options: argparse.Namespace) -> tuple[int, str]:
    found = fit(facts, setup)
    ways = remedies(facts, found) if found.verdict is Verdict.MISFIT else ()
    fewest = smallest_spread(facts, setup)
    code = _NO if found.verdict is Verdict.MISFIT else _YES
    if options.output == "json":
        return code, _json(documents.judged(options.model, facts, found, ways, fewest))
    return code, texts.judged(options.model, facts, found, ways, fewest)


def _compare(facts: Facts, setup: Setup, options: argparse.Namespace) -> tuple[int, str]:
    rows = compared(facts, setup, spread_given=options.tp is not None or options.pp is not None)
    code = _YES if any(found.fits for _, found in rows) else _NO
    if options.output == "json":
        return code, _json(documents.compared(options.model, facts, rows))
    return code, texts.compared(options.model, facts, rows)


def _setup(options: argparse.Namespace) -> Setup:
    try:
        gpu = gpu_named(options.gpu) if options.gpu is not None else Gpu("any", None)
    except UnknownGpuError as unknown:
        raise InputError([f"--gpu {options.gpu}: {unknown}"]) from unknown
    return Setup(
        gpu=gpu,
        engine=EngineName(options.engine),
        tensor_parallel=options.tp or 1,
        pipeline_parallel=options.pp or 1,
        context_tokens=options.context,
        most_requests=options.concurrency,
        full_requests=options.concurrency or 1,
        gpu_memory_percent=options.gpu_memory_percent,
        cache_type=CacheType(options.kv_dtype),
    )


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
