"""What holds for any load, any readings and any order of events."""

from dataclasses import dataclass, replace
from itertools import count

from hypothesis import example, given, settings
from hypothesis import strategies as st

from stoker.core.scaling.decide import demand
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Aims, Limits, Load, Observation, Prior, Reading, Replica, Rolling, Stage
from stoker.core.scaling.restart import kept, recalled
from stoker.core.scaling.tuning import DEFAULT, Tuning
from tests.unit.scaling.builders import PRIOR

READINGS = st.sampled_from([Reading.KNOWN] * 6 + [Reading.UNKNOWN, Reading.SATURATED, Reading.EXPIRED])
TIERS = st.sampled_from(["serving"] * 5 + ["warm", "draining", "asleep"])
STAGES = st.sampled_from([Stage.READY] * 5 + [Stage.QUEUED, Stage.PROVISIONING, Stage.PULLING, Stage.LOADING])


@dataclass(frozen=True)
class Step:
    """What a replica shows at one tick."""

    uid: int
    tier: str
    stage: Stage
    reading: Reading
    came: int
    in_flight: int
    queued: int | None
    boot: int


STEPS = st.builds(
    Step,
    uid=st.integers(0, 7),
    tier=TIERS,
    stage=STAGES,
    reading=READINGS,
    came=st.integers(0, 40),
    in_flight=st.integers(0, 300),
    queued=st.none() | st.integers(0, 200),
    boot=st.integers(0, 1),
)
STORIES = st.lists(st.lists(STEPS, max_size=6, unique_by=lambda step: step.uid), min_size=1, max_size=25)
LIMITS = st.builds(
    Limits,
    floor=st.integers(0, 4),
    maximum=st.integers(4, 12),
    warm=st.integers(0, 3),
    asleep=st.integers(0, 2),
    max_pending=st.none() | st.integers(1, 4),
    frozen=st.sampled_from([False, False, False, True]),
    rolling=st.sampled_from([Rolling.NO, Rolling.NO, *Rolling]),
)
PRIORS = st.sampled_from([PRIOR, Prior()])
STRIDES = st.sampled_from([0.0, 2.0, 2.0, 2.0, 30.0, 400.0])


def observations(story: list[list[Step]], limits: Limits, prior: Prior, stride: float) -> list[Observation]:
    """Counters that run on from tick to tick, one of them for each boot."""
    totals: dict[tuple[int, int], int] = {}
    told: list[Observation] = []
    for tick in count():
        if tick == len(story):
            return told
        now = 1000.0 + tick * stride
        seen = []
        for step in story[tick]:
            arrivals = totals[step.uid, step.boot] = totals.get((step.uid, step.boot), 0) + step.came
            load = Load(now, f"boot-{step.boot}", step.in_flight, 0, arrivals, arrivals, queued=step.queued)
            known = step.reading is Reading.KNOWN
            since = now if step.stage is not Stage.READY else 0.0
            seen.append(
                Replica(
                    f"uid-{step.uid}",
                    "r",
                    "p",
                    step.tier,
                    step.stage,
                    since,
                    0.0,
                    step.reading,
                    load if known else None,
                )
            )
        told.append(Observation(now, tuple(seen), limits, Aims(), prior))
    raise AssertionError


def numbers(told: list[Observation], tuning: Tuning = DEFAULT) -> list[int]:
    memory, found = Memory.empty(), []
    for observation in told:
        said, memory = demand(observation, memory, tuning)
        found.append(said.serving)
    return found


@given(STORIES, LIMITS, PRIORS, STRIDES)
def test_never_below_the_floor_nor_above_the_maximum(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float
) -> None:
    memory = Memory.empty()
    for observation in observations(story, limits, prior, stride):
        said, memory = demand(observation, memory)
        assert min(limits.floor, limits.maximum) <= said.serving <= limits.maximum
        assert 0 <= said.warm <= limits.warm
        assert said.serving + said.warm <= max(limits.maximum, said.serving)
        assert len(said.curve) == said.serving
        assert all(one.late_per_hour >= two.late_per_hour for one, two in zip(said.curve, said.curve[1:], strict=False))
        assert said.explanation.sentence()


@given(STORIES, LIMITS, PRIORS, STRIDES)
def test_never_down_while_a_ready_replica_is_unknown_saturated_or_expired(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float
) -> None:
    memory = Memory.empty()
    for observation in observations(story, limits, prior, stride):
        before = memory.wanted
        said, memory = demand(observation, memory)
        ready = [one for one in observation.replicas if one.tier == "serving" and one.stage is Stage.READY]
        if before is not None and (not ready or any(one.reading is not Reading.KNOWN for one in ready)):
            assert said.serving >= min(before, limits.maximum)


@given(STORIES, LIMITS, PRIORS, STRIDES)
def test_asked_twice_at_one_instant_it_answers_the_same(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float
) -> None:
    memory = Memory.empty()
    for observation in observations(story, limits, prior, stride):
        first, memory = demand(observation, memory)
        again, after = demand(observation, memory)
        assert again.serving == first.serving
        assert again.warm == first.warm
        assert after.levels == memory.levels
        assert after.history == memory.history


@given(STORIES, LIMITS, PRIORS, STRIDES)
def test_a_restart_at_every_tick_that_kept_the_memory_decides_the_same(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float
) -> None:
    told = observations(story, limits, prior, stride)
    memory, found = Memory.empty(), []
    for observation in told:
        said, memory = demand(observation, Memory.from_json(memory.to_json()))
        found.append(said.serving)
    assert found == numbers(told)


@given(STORIES, LIMITS, PRIORS, STRIDES, st.integers(0, 24))
def test_a_restart_that_kept_the_status_only_decides_no_lower(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float, when: int
) -> None:
    told = observations(story, limits, prior, stride)
    memory = Memory.empty()
    for index, observation in enumerate(told):
        before = memory.wanted
        if index == when:
            memory = recalled(kept(memory, prior), Aims())
            said, memory = demand(observation, memory)
            if before is not None:
                assert said.serving >= min(before, limits.maximum)
        else:
            _, memory = demand(observation, memory)


@given(STORIES, LIMITS, PRIORS, STRIDES, st.randoms(use_true_random=False))
def test_the_order_of_the_replicas_changes_nothing(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float, random: object
) -> None:
    told = observations(story, limits, prior, stride)
    shuffled = []
    for observation in told:
        seen = list(observation.replicas)
        random.shuffle(seen)  # type: ignore[attr-defined]
        shuffled.append(replace(observation, replicas=tuple(seen)))
    assert numbers(shuffled) == numbers(told)


@given(STORIES, LIMITS, PRIORS, STRIDES)
def test_a_replica_listed_twice_changes_nothing(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float
) -> None:
    told = observations(story, limits, prior, stride)
    doubled = [replace(observation, replicas=observation.replicas * 2) for observation in told]
    assert numbers(doubled) == numbers(told)


@given(STORIES, LIMITS, PRIORS, STRIDES, st.sampled_from([-1024.0, 1024.0, 65536.0]))
def test_another_origin_of_the_clock_changes_nothing(
    story: list[list[Step]], limits: Limits, prior: Prior, stride: float, shift: float
) -> None:
    told = observations(story, limits, prior, stride)
    shifted = [
        replace(
            observation,
            now_seconds=observation.now_seconds + shift,
            replicas=tuple(
                replace(
                    one,
                    since_seconds=one.since_seconds + shift,
                    created_seconds=one.created_seconds + shift,
                    load=replace(one.load, at_seconds=one.load.at_seconds + shift) if one.load else None,
                )
                for one in observation.replicas
            ),
        )
        for observation in told
    ]
    assert numbers(shifted) == numbers(told)


RIGID = replace(DEFAULT, burst_share=1.0, regret_seconds=-1.0, trend_leads=0.0)
"""Without the parts that judge the past: more arrivals may show that a replica was not worth keeping."""


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 60), min_size=5, max_size=60),
    st.lists(st.integers(0, 30), min_size=60, max_size=60),
    st.integers(1, 6),
)
def test_more_arrivals_in_the_past_never_lower_the_number(came: list[int], more: list[int], replicas: int) -> None:
    def told(arrivals: list[int]) -> list[Observation]:
        steps = [
            [
                Step(uid, "serving", Stage.READY, Reading.KNOWN, total if uid == 0 else 0, 5, 0, 0)
                for uid in range(replicas)
            ]
            for total in arrivals
        ]
        return observations(steps, Limits(0, 40), PRIOR, 2.0)

    fewer = numbers(told(came), tuning=RIGID)
    larger = numbers(told([one + two for one, two in zip(came, more, strict=False)]), tuning=RIGID)
    assert all(one <= two for one, two in zip(fewer, larger, strict=True))


def _read(uid: int, came: int = 0, in_flight: int = 0, boot: int = 0) -> Step:
    return Step(uid, "serving", Stage.READY, Reading.KNOWN, came, in_flight, None, boot)


# One of many is left, and what came lately is more than it carries by the time that help is there.
ONE_IS_LEFT = [
    [_read(0), _read(2)],
    [_read(0), _read(1), _read(2, came=38), _read(3)],
    [_read(0), _read(1, came=34), _read(2, boot=1), _read(3, came=1), _read(4)],
    [_read(0), _read(2, in_flight=5)],
    [],
    [_read(0)],
]


@example(ONE_IS_LEFT, Limits(0, 6), 2.0)
@given(STORIES, LIMITS, STRIDES)
def test_missing_readings_never_give_less_than_replicas_known_to_be_idle(
    story: list[list[Step]], limits: Limits, stride: float
) -> None:
    told = observations(story, limits, PRIOR, stride)
    memory = Memory.empty()
    for observation in told[:-1]:
        _, memory = demand(observation, memory)
    last = told[-1]
    missing = tuple(replace(one, reading=Reading.UNKNOWN, load=None) for one in last.replicas)
    blind, _ = demand(replace(last, replicas=missing), memory)
    idle = tuple(_idle(one, memory, last.now_seconds) for one in last.replicas)
    known, _ = demand(replace(last, replicas=idle), memory)
    assert blind.serving >= known.serving


def _idle(one: Replica, memory: Memory, now: float) -> Replica:
    seen = memory.seen.get(one.uid)
    if seen is None or seen.last is None:
        return replace(one, reading=Reading.KNOWN, load=Load(now, "new", 0, 0, 0, 0))
    last = seen.last
    load = Load(now, last.boot, 0, 0, int(last.arrivals), int(last.finished))
    return replace(one, reading=Reading.KNOWN, load=load)


@given(STORIES, LIMITS, PRIORS, STRIDES)
def test_the_memory_stays_small(story: list[list[Step]], limits: Limits, prior: Prior, stride: float) -> None:
    memory = Memory.empty()
    for observation in observations(story * 4, limits, prior, stride):
        _, memory = demand(observation, memory)
        assert len(memory.seen) <= len(observation.replicas)
        assert len(memory.history.times) <= 128
        assert max(len(memory.levels.owed), len(memory.levels.needed_seconds)) <= limits.maximum
        assert len(memory.bursts.levels) <= limits.maximum
