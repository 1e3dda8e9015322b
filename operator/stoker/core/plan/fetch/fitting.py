"""Whether the model fits its accelerators, as far as the cluster tells what they are.

Pods may land on any kind of GPU that the spec allows, so each kind that is in sight is asked. No node in sight is no
answer: the pool may be at zero, or the operator may not see nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from stoker.api.v1alpha1.engine import EngineName
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.api.v1alpha1.status import ModelFacts
from stoker.core.fit.fit import Fit as FitOnGpu
from stoker.core.fit.fit import Verdict, fit
from stoker.core.fit.gpu import Gpu, UnknownGpuError, gpu_named, gpu_of_node
from stoker.core.fit.remedies import remedies
from stoker.core.fit.sentence import sentence
from stoker.core.fit.setup import CacheType, Setup
from stoker.core.names import GPU_PRODUCT_LABEL
from stoker.core.plan.snapshot import Snapshot
from stoker_runtime.facts import Facts


class FitState(Enum):
    """Unknown is neither."""

    YES = "True"
    NO = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Fit:
    """The verdict, in a sentence with its numbers."""

    state: FitState
    message: str
    facts: ModelFacts


def fit_of(snapshot: Snapshot, facts: Facts | None) -> Fit | None:
    """None where nothing is known of the model."""
    if facts is None:
        return None
    spec = snapshot.live.deployment.spec
    if not spec.accelerator.count:
        return Fit(FitState.UNKNOWN, "The model runs on the CPU, which has no memory of its own.", _said(facts, None))
    gpus = sorted(_gpus(snapshot), key=lambda gpu: (gpu.memory_bytes or 0, gpu.name))
    answers = [fit(facts, _setup(spec, gpu)) for gpu in gpus]
    if not answers:
        unknown = fit(facts, _setup(spec, Gpu(spec.accelerator.resource_name, None)))
        state = FitState.NO if unknown.obstacles else FitState.UNKNOWN
        why = "" if unknown.obstacles else "No node with such accelerators can be seen. "
        return Fit(state, f"{why}{sentence(unknown)}", _said(facts, unknown))
    return _together(facts, answers)


def _together(facts: Facts, answers: list[FitOnGpu]) -> Fit:
    """The smallest GPU that it may land on decides what is promised."""
    misfits = [answer for answer in answers if answer.verdict is Verdict.MISFIT]
    others = [answer for answer in answers if answer.verdict is not Verdict.MISFIT]
    if not others:
        best = misfits[-1]
        return Fit(FitState.NO, sentence(best, remedies(facts, best)), _said(facts, best))
    first = others[0]
    said = sentence(first)
    if misfits:
        names = ", ".join(answer.setup.gpu.name for answer in misfits)
        fits_on = ", ".join(answer.setup.gpu.name for answer in others)
        advice = f" It does not fit {names}, where a replica may land too: set accelerator.products to {fits_on}."
        return Fit(FitState.UNKNOWN, said + advice, _said(facts, first))
    state = FitState.YES if all(answer.fits for answer in others) else FitState.UNKNOWN
    return Fit(state, said, _said(facts, first))


def _gpus(snapshot: Snapshot) -> Iterator[Gpu]:
    """The kinds of GPU that a replica may land on."""
    accelerator = snapshot.live.deployment.spec.accelerator
    seen = set()
    for node in snapshot.cluster.nodes or ():
        product = node.labels.get(GPU_PRODUCT_LABEL, "")
        allowed = not accelerator.products or product in accelerator.products
        if allowed and node.allocatable.get(accelerator.resource_name, 0) >= accelerator.count:
            seen.add(gpu_of_node(node.labels, accelerator.resource_name))
    if not seen:
        # What the spec names is known without a node.
        for name in accelerator.products:
            try:
                seen.add(gpu_named(name))
            except UnknownGpuError:
                continue
    yield from seen


def _setup(spec: Spec, gpu: Gpu) -> Setup:
    engine = spec.engine
    # These put whole layers on each GPU, however many there are.
    by_layers = engine.name in (EngineName.LLAMACPP, EngineName.OLLAMA, EngineName.TRANSFORMERS)
    small = any("kv-cache-dtype" in arg and "fp8" in arg for arg in _joined(engine.args))
    return Setup(
        gpu=gpu,
        engine=engine.name,
        tensor_parallel=engine.tensor_parallel,
        pipeline_parallel=spec.accelerator.count if by_layers else engine.pipeline_parallel,
        context_tokens=engine.context_length,
        most_requests=engine.max_concurrency,
        gpu_memory_percent=engine.gpu_memory_percent,
        cache_type=CacheType.FP8 if small else CacheType.AUTO,
    )


def _joined(args: tuple[str, ...]) -> Iterator[str]:
    """`--flag value` as `--flag=value`."""
    for index, arg in enumerate(args):
        follower = args[index + 1] if index + 1 < len(args) else ""
        yield arg if "=" in arg or follower.startswith("-") else f"{arg}={follower}"


def _said(facts: Facts, answer: FitOnGpu | None) -> ModelFacts:
    return ModelFacts(
        architecture=facts.architecture,
        parameters=facts.parameters,
        active_parameters=facts.active_parameters,
        quantization=facts.quantization,
        context_length=facts.context_length,
        kv_bytes_per_token=answer.token_bytes if answer else None,
        gpu_memory_needed_bytes=answer.parts.total_bytes if answer else None,
        full_context_concurrency=answer.requests_at_once if answer else None,
    )
