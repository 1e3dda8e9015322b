"""What one replica carries inside the objective, learned from exact counts.

In a window of looks i, Δt_i apart, with G_i gaps between tokens that took S_i seconds in all, and R requests:

    n = Σ G_i·S_i/Δt_i / ΣG_i    requests that decode at once (Little), as the mean gap met them: T is a mean over gaps,
                                 and a burst that fills a tenth of the window fills it tenfold
    T = ΣS_i / ΣG_i              time between two tokens
    O = ΣG_i / R                 gaps per request; R halfway between those begun and ended, which a rising load parts

    T(n) = a + c·n     least squares, weights halving every 15 minutes of work at the most n, drawn towards the prior
    T̂(n) = T(n) + q·s·√(x'A⁻¹x)                         the cautious quartile: q = 0.67, s: scatter of the windows
    n*   = min(n with T̂(n) = aim, 0.85·KV, maximum concurrency)
    aim  = 0.75^(z_p/z_95)·ITL objective                 z_p: of the objective's percentile, of log-normal gaps
    μ    = n* / (O·T̂(n*))

The prior has T(n₀) = aim and a = 0.35·aim, with a spread that makes the cautious n* 0.7 of n₀; where what was seen lies
above that line, n₀ is what makes it pass through. Without a prior the first windows stand for the line:

    n₁ = (aim/T - 0.35)·n/0.65     of the mean n and T of the windows, and a = 0.35·T

With its doubt in T, n* is no less than n₁ where T is inside the aim: a line through few windows can have any slope, and
what they were seen to carry they carry. Above that, n* is never more than four times what was seen. What is used falls
at once, and rises by 5 %/(1 - confidence) a minute, or up to what was served: n* is the cautious quartile already, and
of a noisy estimate the least that it ever was says nothing.
"""

from dataclasses import dataclass, replace
from math import exp, isfinite, log, sqrt
from statistics import NormalDist

from stoker.core.scaling.observation import Aims, Prior
from stoker.core.scaling.windows import Lesson, Passed

ITL_SHARE_95 = 0.75
"""The mean that keeps nineteen of twenty gaps inside the objective."""
QUARTILE = 0.67
HALF_LIFE_SECONDS = 900.0
LEAST_WORK = 0.2
"""Of a window with hardly a request: it says little of how a full replica does, and takes little away."""
NOISE = 0.15
"""Standard deviation of one window's T as a share of the objective, before there are windows."""
LEAST_NOISE = 0.03
NOISE_WINDOWS = 5.0
"""Windows that the guessed noise counts for."""
PARTED = 1.25
PARTED_REQUESTS = 4.0
OVERLOADED = 1.5
"""Times the objective: a window that slow is a queue, and teaches no more once something is known."""
PRIOR_SHARE = 0.7
PRIOR_BASE = 0.35
"""Share of T(n₀) that the prior takes for a: little, which is the safe side."""
BEYOND_BEST = 1.15
"""Times the best minute that was served inside the objective: the belief where nothing else is known."""
BEYOND_SEEN = 4.0
"""n* is no further from the concurrency that was seen than this, or no more than the cautious prior."""
RISE_PER_SECOND = log(1.05) / 60.0
"""Of a mere guess."""
SUREST = 0.95
BEST_HALF_LIFE_SECONDS = 6 * 3600.0
ENOUGH_WINDOWS = 3.0
FIRST_CONFIDENCE = 0.05
"""Of what fewer windows say: enough to be kept over a restart."""
FADING_WINDOWS = 5.0
LEAST_GAPS = 20


@dataclass(frozen=True, slots=True)
class Fit:
    """Weighted sums over windows, of one revision on one GPU product."""

    weight: float = 0.0
    n: float = 0.0
    nn: float = 0.0
    t: float = 0.0
    nt: float = 0.0
    tt: float = 0.0
    gaps: float = 0.0
    requests: float = 0.0
    kv_per_request: float | None = None
    most_seen: float = 0.0
    best_rate: float = 0.0
    observed_seconds: float = 0.0
    at_seconds: float = 0.0
    used: "Capacity | None" = None
    used_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one replica."""

    n_star: float
    rate_per_second: float
    """Cautious: what decisions are made with."""
    likely_per_second: float
    """As likely too low as too high: what a forecast is made with."""
    confidence: float
    """0: a guess; towards 1: what is used is what was measured."""


def itl_aim_seconds(aims: Aims) -> float:
    """The mean gap between tokens that keeps the percentile of the gaps inside the objective."""
    normal = NormalDist()
    percentile = min(max(aims.percentile, 50), 99)
    return float(ITL_SHARE_95 ** (normal.inv_cdf(percentile / 100) / normal.inv_cdf(0.95)) * aims.itl_seconds)


def taught(fit: Fit, lesson: Lesson, aims: Aims, now_seconds: float) -> Fit:
    """The fit with one more window; windows that preempted, and idle ones, teach nothing."""
    window = lesson.fit
    if lesson.served is not None:
        fit = _served(fit, lesson.served, aims)
    if window is None or window.preemptions > 0 or window.itl_count < LEAST_GAPS or window.seconds <= 0.0:
        return fit
    n, t = window.met, window.itl_sum_seconds / window.itl_count
    if not (isfinite(n) and 0.0 < t < 60.0) or n < 1.0:
        return fit
    if not _stationary(window):
        return fit
    if t > OVERLOADED * aims.itl_seconds and (fit.weight >= ENOUGH_WINDOWS or fit.used is not None):
        return fit
    work = max(LEAST_WORK, min(1.0, n / max(fit.most_seen, n)))
    kept = exp(-log(2.0) * work * window.seconds / HALF_LIFE_SECONDS)
    load = lesson.replica.load
    kv = fit.kv_per_request
    if load is not None and load.running and load.running >= 4 and load.kv_share is not None:
        share = load.kv_share / load.running
        if 0.0 < share < 1.0:
            kv = share if kv is None else kv + 0.2 * (share - kv)
    return replace(
        fit,
        weight=kept * fit.weight + 1.0,
        n=kept * fit.n + n,
        nn=kept * fit.nn + n * n,
        t=kept * fit.t + t,
        nt=kept * fit.nt + n * t,
        tt=kept * fit.tt + t * t,
        gaps=kept * fit.gaps + window.itl_count,
        requests=kept * fit.requests + (window.finished + window.ttft_count) / 2,
        kv_per_request=kv,
        most_seen=max(kept * fit.most_seen, n),
        observed_seconds=fit.observed_seconds + window.seconds,
        at_seconds=now_seconds,
    )


def _stationary(window: Passed) -> bool:
    """As many begin as end. Where more begin, their prompts slow the others beyond what n alone explains."""
    begun, ended = window.ttft_count, window.finished
    return max(begun, ended) <= PARTED * min(begun, ended) + PARTED_REQUESTS


def _served(fit: Fit, window: Passed, aims: Aims) -> Fit:
    """The best minute inside the objective, forgotten over hours."""
    if window.preemptions > 0 or window.finished < 1 or window.seconds <= 0.0:
        return fit
    in_time = window.ttft_sum_seconds <= aims.ttft_seconds * window.ttft_count
    smooth = window.itl_sum_seconds <= aims.itl_seconds * window.itl_count
    kept = exp(-log(2.0) * window.seconds / BEST_HALF_LIFE_SECONDS)
    rate = window.finished / window.seconds if in_time and smooth else 0.0
    return replace(fit, best_rate=max(kept * fit.best_rate, rate))


def estimate(fit: Fit, aims: Aims, prior: Prior) -> Capacity | None:
    """None while neither the prior nor the windows say anything."""
    aim = itl_aim_seconds(aims)
    if fit.weight < ENOUGH_WINDOWS and not prior.guesses:
        return _first(fit, aims, prior)
    weight, n, nn, t, nt, gaps_per_request = fit.weight, fit.n, fit.nn, fit.t, fit.nt, 0.0
    if fit.requests > 0:
        gaps_per_request = fit.gaps / fit.requests
    if prior.n_star is not None and prior.rate_per_second is not None:
        # A guess lies far from what is seen, and a far point turns a line: it fades with the first windows.
        light = _prior_weight() / (1.0 + fit.weight / FADING_WINDOWS) ** 2
        full = _guessed(prior.n_star, fit, aim)
        for at, seconds in ((1.0, aim * PRIOR_BASE + aim * (1.0 - PRIOR_BASE) / full), (full, aim)):
            weight, n, nn = weight + light, n + light * at, nn + light * at * at
            t, nt = t + light * seconds, nt + light * at * seconds
        guessed = prior.n_star / prior.rate_per_second / aim
        requests = fit.requests + 10.0
        gaps_per_request = (fit.gaps + 10.0 * guessed) / requests
    if gaps_per_request <= 0.0:
        return None
    base, slope = _line(weight, n, nn, t, nt)
    most = _most(fit, aims, prior)
    n_star = min(most, max(1.0, (aim - base) / slope)) if slope > 0.0 else most
    noise = QUARTILE * _noise(fit, aim)
    doubt = noise * _leverage(weight, n, nn, n_star)
    cautious = 1.0 + doubt / max(base + slope * n_star, 1e-6)
    likely = n_star / (gaps_per_request * (base + slope * n_star))
    n_star = min(most, max(1.0, (aim / cautious - base) / slope)) if slope > 0.0 else most / cautious
    rate = n_star / (gaps_per_request * cautious * (base + slope * n_star))
    least = min(most, _least(fit, noise, aim))
    if least > n_star:
        n_star, rate = least, max(rate, least / (gaps_per_request * aim))
    return Capacity(n_star, rate, max(rate, likely), min(1.0, fit.weight / (fit.weight + 10.0)) / cautious)


def _guessed(n_star: float, fit: Fit, aim: float) -> float:
    """n₀, and no more than where the guess's line passes through what was seen."""
    above = fit.t / fit.weight / aim - PRIOR_BASE if fit.weight > 0.0 else 0.0
    if above <= 0.0:
        return n_star
    return max(1.0, min(n_star, (1.0 - PRIOR_BASE) * fit.n / fit.weight / above))


def _least(fit: Fit, noise: float, aim: float) -> float:
    """n₁ where what was seen is inside the aim."""
    if fit.weight <= 0.0:
        return 0.0
    seconds = fit.t / fit.weight + noise / sqrt(fit.weight)
    return _carried(fit.n / fit.weight, seconds, aim) if seconds <= aim else 0.0


def _carried(n: float, seconds: float, aim: float) -> float:
    """The n that takes the aim, if n of them take so many seconds."""
    return max(1.0, (aim / seconds - PRIOR_BASE) * n / (1.0 - PRIOR_BASE))


def _first(fit: Fit, aims: Aims, prior: Prior) -> Capacity | None:
    """What one window says of more requests than it saw, so that a young model need not grow one by one."""
    if fit.weight <= 0.0 or fit.requests <= 0.0:
        return None
    n, t = fit.n / fit.weight, fit.t / fit.weight
    n_star = min(_most(fit, aims, prior), _carried(n, t, itl_aim_seconds(aims)))
    rate = n_star / (fit.gaps / fit.requests * t * (PRIOR_BASE + (1.0 - PRIOR_BASE) * n_star / n))
    return Capacity(n_star, rate, rate, FIRST_CONFIDENCE)


def _prior_weight() -> float:
    """Such that a fit without windows comes to PRIOR_SHARE of n₀: q·NOISE/√w = aim / T(share·n₀) - 1."""
    return (QUARTILE * NOISE / (1.0 / (PRIOR_BASE + (1.0 - PRIOR_BASE) * PRIOR_SHARE) - 1.0)) ** 2


def _line(weight: float, n: float, nn: float, t: float, nt: float) -> tuple[float, float]:
    """Neither the base nor the slope is below zero."""
    spread = weight * nn - n * n
    slope = (weight * nt - n * t) / spread if spread > 1e-9 * max(1.0, weight * nn) else 0.0
    base = (t - slope * n) / weight
    if base < 0.0:
        return 0.0, nt / nn
    if slope <= 0.0:
        return t / weight, 0.0
    return base, slope


def _noise(fit: Fit, aim: float) -> float:
    """Scatter of the windows around their line, in seconds."""
    guessed = (NOISE * aim) ** 2
    if fit.weight <= 0.0:
        return NOISE * aim
    base, slope = _line(fit.weight, fit.n, fit.nn, fit.t, fit.nt)
    squares = fit.tt - 2.0 * (base * fit.t + slope * fit.nt)
    squares += base * base * fit.weight + 2.0 * base * slope * fit.n + slope * slope * fit.nn
    variance = (NOISE_WINDOWS * guessed + max(0.0, squares)) / (NOISE_WINDOWS + fit.weight)
    return max(LEAST_NOISE * aim, sqrt(variance))


def _leverage(weight: float, n: float, nn: float, at: float) -> float:
    """√(x'A⁻¹x) for x = (1, n): the further from what was seen, the less is known."""
    determinant = weight * nn - n * n
    if determinant <= 1e-9 * max(1.0, weight * nn):
        return max(1.0, at * weight / n) / sqrt(weight)
    return sqrt(max(0.0, (nn - 2.0 * at * n + at * at * weight) / determinant))


def _most(fit: Fit, aims: Aims, prior: Prior) -> float:
    bounds = [float(prior.max_concurrency or 4096)]
    if fit.kv_per_request:
        bounds.append(aims.kv_share / fit.kv_per_request)
    safe = PRIOR_SHARE * prior.n_star if prior.n_star is not None else 0.0
    bounds.append(max(safe, BEYOND_SEEN * fit.most_seen))
    return max(1.0, min(bounds))


def used(before: Capacity | None, target: Capacity, best_rate: float, seconds: float) -> Capacity:
    """Down at once; up the faster the surer it is, or at once to what was served."""
    if before is None:
        return target
    slow = exp(RISE_PER_SECOND * max(0.0, seconds) / (1.0 - min(SUREST, target.confidence)))
    rate = min(target.rate_per_second, max(before.rate_per_second * slow, best_rate))
    # What is believed of the rate is believed of the concurrency.
    n_star = min(target.n_star, max(before.n_star * slow, target.n_star * rate / target.rate_per_second))
    return Capacity(n_star, rate, max(rate, target.likely_per_second), target.confidence)
