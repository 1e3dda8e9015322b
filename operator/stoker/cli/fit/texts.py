"""The answer for people."""

from collections.abc import Sequence

from stoker.core.counted import counted
from stoker.core.fit.cache import token_bytes
from stoker.core.fit.catalogue import Product
from stoker.core.fit.fit import Fit, Verdict
from stoker.core.fit.flags import flags
from stoker.core.fit.remedies import Remedy
from stoker.core.fit.sentence import gib, held, part_sizes, remedy_text
from stoker_runtime.facts import Facts
from stoker_runtime.inspect.engines import engines_for

_VERDICTS = {Verdict.FITS: "fits", Verdict.MISFIT: "does not fit", Verdict.UNKNOWN: "unknown"}
_WIDTH = 12
_HEADINGS = ("GPU", "MEMORY", "GPUS", "TP", "PP", "CONTEXT", "AT ONCE", "AT HALF")


def judged(model: str, facts: Facts, found: Fit, ways: Sequence[Remedy], fewest: Fit | None) -> str:
    lines = [_model(model, facts), _gpu(found), ""]
    lines += [f"  {reason}" for reason in found.obstacles]
    for name, size in part_sizes(found):
        note = f"   {held(found)}" if name == "KV cache" else ""
        lines.append(f"  {name:<{_WIDTH}}{gib(size):>7} GiB{note}")
    if found.left_bytes is not None:
        name = "left" if found.left_bytes >= 0 else "missing"
        lines.append(f"  {name:<{_WIDTH}}{gib(abs(found.left_bytes)):>7} GiB")
    lines.append("")
    if found.fits:
        lines.append(f"  at once     {_at_once(found)}")
    lines.append(f"  fewest GPUs {_fewest(fewest)}")
    if found.fits and flags(found):
        lines.append(f"  flags       {' '.join(flags(found))}")
    lines += [f"  → {remedy_text(way, found)}" for way in ways]
    return "\n".join(lines)


def compared(model: str, facts: Facts, rows: Sequence[tuple[Product, Fit]]) -> str:
    """One line a product."""
    cells = [_HEADINGS, *(_cells(product, found) for product, found in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    lines = [_line(row, widths) for row in cells]
    return "\n".join((_model(model, facts), "", *lines))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if not at else cell.rjust(width) for at, (cell, width) in _numbered(row, widths)
    )
    return "  ".join((first, *others)).rstrip()


def _numbered(row: Sequence[str], widths: Sequence[int]) -> list[tuple[int, tuple[str, int]]]:
    return list(enumerate(zip(row, widths, strict=True)))


def _cells(product: Product, found: Fit) -> tuple[str, ...]:
    memory = f"{gib(product.memory_bytes)} GiB"
    if not found.fits:
        return product.label, memory, "no", "", "", "", "", ""
    setup = found.setup
    spread = (str(setup.gpus), str(setup.tensor_parallel), str(setup.pipeline_parallel))
    held_requests = (f"{found.requests_at_once or 0:,}", f"{found.requests_at_half or 0:,}")
    return product.label, memory, *spread, f"{found.context_tokens:,}", *held_requests


def _model(model: str, facts: Facts) -> str:
    cache = token_bytes(facts)
    said = [f"{facts.parameters / 1e9:,.2f} billion parameters", f"{gib(facts.weight_bytes)} GiB of weights"]
    said.append(f"{facts.quantization or facts.dtype or 'unknown type'}")
    if cache:
        said.append(f"{cache / 1024:,.1f} KiB of KV cache a token")
    return f"{model}: {', '.join(said)}\n  loaded by   {', '.join(engines_for(facts.format, facts.quantization))}"


def _gpu(found: Fit) -> str:
    setup = found.setup
    memory = "memory unknown" if setup.gpu.memory_bytes is None else f"{gib(setup.gpu.memory_bytes)} GiB"
    budget = "" if found.budget_bytes is None else f", {gib(found.budget_bytes)} for {setup.engine}"
    return f"{counted_gpus(found)} ({memory}{budget}): {_VERDICTS[found.verdict]}"


def counted_gpus(found: Fit) -> str:
    return f"{found.setup.gpus} x {found.setup.gpu.name}"


def _at_once(found: Fit) -> str:
    full, half = found.requests_at_once or 0, found.requests_at_half or 0
    return f"{counted(full, 'request')} of {found.context_tokens:,} tokens, {half:,} of {found.context_tokens // 2:,}"


def _fewest(fewest: Fit | None) -> str:
    if fewest is None:
        return "none of this product"
    setup = fewest.setup
    if setup.pipeline_parallel > 1:
        return f"{setup.gpus} (--tp {setup.tensor_parallel} --pp {setup.pipeline_parallel})"
    return f"{setup.gpus} (--tp {setup.tensor_parallel})" if setup.gpus > 1 else "1"
