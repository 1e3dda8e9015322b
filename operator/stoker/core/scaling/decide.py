"""The order of a decision: look, learn, need, hold, limit. Everything comes in as a value and goes out as one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stoker.core.scaling import levels as level_book
from stoker.core.scaling.arrivals import Rate, rate
from stoker.core.scaling.bursts import Bursts, Happened, standing, watched
from stoker.core.scaling.census import Census, census_of
from stoker.core.scaling.demands import Demand, Reason
from stoker.core.scaling.down import lowered, most_at_once
from stoker.core.scaling.explain import Explanation
from stoker.core.scaling.lead_times import Expected, expected
from stoker.core.scaling.learning import Believed, Learned, believed, learn
from stoker.core.scaling.levels import Levels
from stoker.core.scaling.limits import held_by_others, limited
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.need import Facts, Need, in_flight_mean, need, queues
from stoker.core.scaling.observation import Observation, Rolling
from stoker.core.scaling.rest import resting
from stoker.core.scaling.surge import Usual, noted, stood
from stoker.core.scaling.trend import forecast
from stoker.core.scaling.tuning import DEFAULT, Tuning
from stoker.core.scaling.value import HOUR_SECONDS, curve
from stoker.core.scaling.warm import standing_beyond_warm, warm_wanted
from stoker.core.scaling.windows import trusted


@dataclass(frozen=True, slots=True)
class _Tick:
    """One decision on its way."""

    observation: Observation
    memory: Memory
    tuning: Tuning
    now: float
    elapsed: float
    before: int
    learned: Learned
    census: Census
    expected: Expected
    believed: Believed
    rate: Rate | None
    hold_seconds: float
    queueing_since: float | None
    in_flight_mean: float
    resting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    serving: int
    standing: int
    held: int
    reasons: tuple[Reason, ...]


def demand(observation: Observation, memory: Memory, tuning: Tuning = DEFAULT) -> tuple[Demand, Memory]:
    """What the model asks for now, and what to remember of it."""
    tick = _tick(observation, memory, tuning)
    levels, bursts = _poured(tick)
    needed = need(_facts(tick, levels), observation.aims, tuning)
    usual = _usual(tick)
    worth = standing_beyond_warm(max(standing(bursts, tuning), usual.standing), tick.census.warm_ready)
    levels = _aged(tick, levels)
    # Requests that queue keep what there is; what more of them need, `up` says.
    kept = max(min(needed.hold, tick.before), needed.up, needed.cache)
    levels = level_book.touched(levels, kept, tick.now)
    wanted = _wanted(tick, levels, needed, worth)
    # Those that stand by were ordered, and not needed.
    touched = wanted.serving if wanted.serving > worth else max(kept, needed.hold, needed.wait)
    change = level_book.Change(tick.before, wanted.serving, touched)
    after = level_book.moved(levels, change, tick.now, tuning)
    remembered = Memory(
        at_seconds=tick.now,
        wanted=wanted.serving,
        up_seconds=tick.now if wanted.serving > tick.before else memory.up_seconds,
        down_seconds=tick.now if wanted.serving < tick.before else memory.down_seconds,
        busy_seconds=tick.now if _busy(tick) or memory.busy_seconds is None else memory.busy_seconds,
        queueing_since_seconds=tick.queueing_since,
        in_flight_mean=tick.in_flight_mean,
        seen=tick.learned.seen,
        history=tick.learned.history,
        levels=level_book.pruned(after, max(1, observation.limits.maximum)),
        bursts=bursts,
        usual=usual,
        fits=tick.learned.fits,
        lead_times=tick.learned.lead_times,
        resting=tick.resting,
    )
    return _answer(tick, needed, wanted), remembered


def _tick(observation: Observation, memory: Memory, tuning: Tuning) -> _Tick:
    """A clock that went back stands still."""
    now = observation.now_seconds if memory.at_seconds is None else max(memory.at_seconds, observation.now_seconds)
    replicas = trusted(observation.replicas)
    learned = learn(observation, replicas, memory, now)
    census = census_of(replicas, learned.seen, now, tuning.stuck_seconds, memory.resting)
    leads = expected(learned.lead_times, observation.prior)
    arriving = rate(learned.history, tuning.rise_deviations, tuning.fall_deviations)
    recent = arriving.recent_per_second if arriving else 0.0
    queueing = queues(census.loads, recent, observation.aims)
    since = memory.queueing_since_seconds if memory.queueing_since_seconds is not None else now
    # Those that start are not measured, and may not even have a node yet.
    belief = believed(learned.fits, census.ready or census.starting, observation)
    aside: tuple[str, ...] = ()
    left_alone = not observation.limits.frozen and observation.limits.rolling is Rolling.NO
    if belief.capacity and arriving and left_alone:
        longest_wait = tuning.aside_times * observation.aims.ttft_seconds
        aside = resting(replicas, memory.resting, belief.capacity, arriving.per_second, longest_wait)
    elapsed = 0.0 if memory.at_seconds is None else now - memory.at_seconds
    return _Tick(
        observation,
        memory,
        tuning,
        now,
        elapsed,
        memory.wanted if memory.wanted is not None else census.counted,
        learned,
        census,
        leads,
        belief,
        arriving,
        max(observation.aims.down_delay_seconds, tuning.hold_leads * leads.lead_seconds),
        since if queueing else None,
        in_flight_mean(memory.in_flight_mean, census.in_flight, elapsed),
        aside,
    )


def _usual(tick: _Tick) -> Usual:
    capacity = tick.believed.capacity
    if tick.rate is None or capacity is None:
        return tick.memory.usual
    usual = noted(tick.memory.usual, tick.rate.per_second, capacity.likely_per_second, tick.elapsed)
    return stood(usual, tick.tuning)


def _since(tick: _Tick, at_seconds: float | None) -> float | None:
    return None if at_seconds is None else tick.now - at_seconds


def _poured(tick: _Tick) -> tuple[Levels, Bursts]:
    """The virtual queues and the bursts after the arrivals of this tick."""
    levels, bursts = tick.memory.levels, tick.memory.bursts
    capacity = tick.believed.capacity
    if capacity is None or (not tick.elapsed and not tick.learned.arrivals):
        return levels, bursts
    wait = tick.tuning.wait_share * tick.observation.aims.ttft_seconds
    lead = tick.expected.lead_seconds
    rate_each = tick.tuning.serving_share * capacity.rate_per_second
    pouring = level_book.Pouring(
        tick.learned.arrivals,
        rate_each * tick.elapsed,
        rate_each * (2.0 * wait + tick.tuning.virtual_cap_leads * lead),
    )
    owed = level_book.poured(levels.owed, pouring, tick.observation.limits.maximum)
    happened = Happened(
        tick.now,
        tick.elapsed,
        tick.learned.arrivals,
        tick.rate.per_second if tick.rate else 0.0,
        rate_each,
        wait * rate_each,
        lead,
    )
    bursts = watched(bursts, owed, happened, tick.tuning)
    return replace(levels, owed=owed), bursts


def _facts(tick: _Tick, levels: Levels) -> Facts:
    lead = tick.expected.lead_seconds
    return Facts(
        rate_per_second=tick.rate.per_second if tick.rate else None,
        coming_per_second=_coming(tick),
        loads=tick.census.loads,
        in_flight_mean=tick.in_flight_mean,
        ready=len(tick.census.ready),
        warm_ready=tick.census.warm_ready,
        starting_seconds=tuple(tick.expected.left_seconds(replica, tick.now) for replica in tick.census.starting),
        wanted_before=tick.before,
        since_up_seconds=_since(tick, tick.memory.up_seconds),
        queueing_seconds=_since(tick, tick.queueing_since) or 0.0,
        lead_seconds=lead,
        hold_seconds=tick.hold_seconds,
        capacity=tick.believed.capacity,
        best_rate=tick.believed.best_rate,
        max_concurrency=tick.observation.prior.max_concurrency,
        owed=levels.owed,
    )


def _coming(tick: _Tick) -> float:
    tuning = tick.tuning
    if not tuning.trend_leads:
        return 0.0
    return (
        forecast(tick.learned.history, tuning.trend_leads * tick.expected.lead_seconds, tuning.trend_deviations) or 0.0
    )


def _aged(tick: _Tick, levels: Levels) -> Levels:
    """At the first look, and after time in which nothing could be seen, no level is older than now."""
    if tick.memory.at_seconds is None:
        return level_book.touched(levels, tick.before, tick.now)
    return level_book.postponed(levels, tick.elapsed) if tick.census.sight.blind else levels


def _wanted(tick: _Tick, levels: Levels, needed: Need, worth: int) -> _Wanted:
    delay = tick.observation.aims.down_delay_seconds
    holding = level_book.Holding(tick.hold_seconds, delay, tick.census.warm_ready)
    # What was given up is not ordered again because it was needed lately.
    held = min(level_book.held(levels, tick.now, holding, tick.tuning), tick.before)
    asked = 0 if _idle(tick) else max(needed.up, held, needed.cache, needed.wait, worth, _awake(tick))
    reasons = _asked_reasons(needed, worth, held, asked)
    # Who stands aside carries nothing: that many more are kept, and none is ordered for it, since it comes back.
    kept = min(tick.before, asked + len(tick.resting))
    if kept > asked:
        asked, reasons = kept, [Reason.ASIDE, *reasons]
    limits, census = tick.observation.limits, tick.census
    if 2 * census.sight.saturated >= len(census.ready) > 0 and census.sight.saturated:
        asked = _saturated(tick, asked)
        reasons.append(Reason.SATURATED)
    free, asked = asked, held_by_others(asked, tick.before, census.pending, limits)
    if asked != free or limits.frozen:
        reasons = [Reason.FROZEN]
    placed = census.counted - census.pending
    bound = limited(asked, tick.before, placed, census.warm_ready, limits)
    if bound.serving and Reason.IDLE in reasons:
        reasons.remove(Reason.IDLE)  # it would say why there is none
    reasons.extend(sorted(bound.reasons))
    most = most_at_once(tick.before, census.warm_ready, _since(tick, tick.memory.down_seconds), tick.tuning)
    allowed = lowered(tick.before, bound.serving, most, census.sight)
    if allowed.reason is not None and Reason.FROZEN not in reasons:
        reasons.append(allowed.reason)
    if census.sight.blind and tick.before:
        reasons.append(Reason.SATURATED if census.sight.saturated else Reason.BLIND)
    # Blindness never outweighs the most that the user allows.
    serving = min(allowed.serving, max(limits.maximum, 0))
    return _Wanted(serving, worth, held, tuple(dict.fromkeys(reasons)))


def _asked_reasons(needed: Need, worth: int, held: int, asked: int) -> list[Reason]:
    """Those that ask for the most; what is kept only because it was needed lately is said last."""
    if not asked:
        return [Reason.IDLE]
    asking = {
        Reason.RATE: needed.rate,
        Reason.QUEUE: needed.queue,
        Reason.BACKLOG: needed.up if needed.up > max(needed.rate, needed.queue) else 0,
        Reason.CACHE: needed.cache,
        Reason.WAIT: needed.wait,
        Reason.BURSTS: worth,
    }
    found = [reason for reason, count in asking.items() if count == asked]
    return found or ([Reason.HELD] if held == asked else [])


def _busy(tick: _Tick) -> bool:
    """It is used, or nobody can say that it is not."""
    census, learned = tick.census, tick.learned
    used = learned.arrivals or census.in_flight or census.stuck
    return bool(used or learned.first_looks or census.sight.known < census.sight.ready)


def _idle(tick: _Tick) -> bool:
    """Nothing came for so long that a model which may go to zero goes."""
    since = tick.memory.busy_seconds
    quiet = since is not None and tick.now - since >= tick.observation.aims.idle_seconds
    return quiet and not _busy(tick) and not tick.observation.limits.floor


def _awake(tick: _Tick) -> int:
    """The last replica stays until nothing came for idleSeconds."""
    return min(1, tick.before)


def _saturated(tick: _Tick, asked: int) -> int:
    """Most replicas answer too late: at least as many as before, and one more at most, once per lead time."""
    since_up = _since(tick, tick.memory.up_seconds)
    waited = since_up is None or since_up >= tick.expected.lead_seconds
    step = 1 if waited and not tick.census.starting else 0
    most = tick.before + (since_up != 0.0)  # asked again at one instant, it is still the same order
    return min(max(asked, tick.before + step), most)


def _answer(tick: _Tick, needed: Need, wanted: _Wanted) -> Demand:
    limits = tick.observation.limits
    warm = warm_wanted(wanted.serving, limits)
    capacity = tick.believed.capacity
    late = needed.projected + (HOUR_SECONDS * tick.rate.per_second if tick.rate else 0.0)
    full = HOUR_SECONDS * tick.tuning.serving_share * capacity.rate_per_second if capacity else None
    return Demand(
        serving=wanted.serving,
        warm=warm,
        floor=min(limits.floor, limits.maximum),
        lead_seconds=tick.expected.lead_seconds,
        curve=curve(wanted.serving, limits.floor, late, full),
        reasons=wanted.reasons,
        explanation=_explanation(tick, needed, wanted, warm),
        resting=tick.resting,
    )


def _explanation(tick: _Tick, needed: Need, wanted: _Wanted, warm: int) -> Explanation:
    census, capacity, limits = tick.census, tick.believed.capacity, tick.observation.limits
    return Explanation(
        before=tick.before,
        serving=wanted.serving,
        warm=warm,
        floor=limits.floor,
        maximum=limits.maximum,
        reasons=tuple(wanted.reasons),
        ready=len(census.ready),
        starting=len(census.starting),
        pending=census.pending,
        warm_ready=census.warm_ready,
        resting=len(tick.resting),
        draining=census.draining,
        known=census.sight.known,
        saturated=census.sight.saturated,
        unknown=len(census.ready) - census.sight.known - census.sight.saturated,
        stuck_replicas=census.stuck,
        in_flight=census.in_flight,
        waiting=sum(load.waiting for load in census.loads),
        imbalance=_imbalance([load.in_flight for load in census.loads]),
        rate_per_second=tick.rate.per_second if tick.rate else None,
        rate_window_seconds=tick.rate.window_seconds if tick.rate else None,
        n_star=capacity.n_star if capacity else None,
        capacity_per_second=capacity.rate_per_second if capacity else None,
        confidence=capacity.confidence if capacity else 0.0,
        lead_seconds=tick.expected.lead_seconds,
        hold_seconds=tick.hold_seconds,
        backlog=needed.backlog.movable,
        stuck_backlog=needed.backlog.stuck,
        projected_backlog=needed.projected,
        drain_seconds=needed.drain_seconds,
        by_rate=needed.rate,
        by_queue=needed.queue,
        by_backlog=needed.up,
        by_cache=needed.cache,
        by_wait=needed.wait,
        by_bursts=wanted.standing,
        by_hold=needed.hold,
        held=wanted.held,
    )


def _imbalance(in_flight: Sequence[int]) -> float | None:
    """Load skew between replicas: reported, and not taken for missing capacity."""
    total = sum(in_flight)
    return max(in_flight) * len(in_flight) / total if len(in_flight) > 1 and total else None
