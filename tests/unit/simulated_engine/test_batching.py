"""Which sequences a step holds."""

from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.simulated.batching import Batch, Sequence
from stoker_runtime.simulated.timing import Replica, StepCost

FREE = StepCost(1.0, 0.0, 0.0, 0.0)


def batch(kv_tokens: int = 1_000, max_sequences: int = 8, step_tokens: int = 100) -> Batch[Sequence]:
    return Batch(Replica(FREE, kv_tokens, max_sequences, step_tokens))


def added(into: Batch[Sequence], *lengths: tuple[int, int]) -> list[Sequence]:
    sequences = [Sequence(prompt, output) for prompt, output in lengths]
    for sequence in sequences:
        into.add(sequence)
    return sequences


def step(of: Batch[Sequence]) -> list[Sequence]:
    planned = of.plan()
    assert planned is not None
    return of.complete(planned)


def test_nothing_to_do_is_no_step() -> None:
    assert batch().plan() is None


def test_the_first_token_comes_with_the_end_of_the_prompt() -> None:
    tested = batch()
    (sequence,) = added(tested, (10, 3))
    assert step(tested) == [sequence]
    assert sequence.generated == 1


def test_a_long_prompt_takes_several_steps() -> None:
    tested = batch(step_tokens=100)
    (sequence,) = added(tested, (250, 1))
    assert [step(tested), step(tested), step(tested)] == [[], [], [sequence]]


def test_those_that_decode_go_before_new_prompts() -> None:
    tested = batch(step_tokens=10)
    old, new = added(tested, (5, 9), (40, 9))
    step(tested)
    planned = tested.plan()
    assert planned is not None
    assert planned.decoding == [old]
    assert planned.prompts == [(new, 9)]


def test_they_are_admitted_in_the_order_of_arrival() -> None:
    tested = batch(max_sequences=1)
    first, second, third = added(tested, (5, 1), (5, 1), (5, 1))
    assert [step(tested), step(tested), step(tested)] == [[first], [second], [third]]


def test_no_more_run_than_may() -> None:
    tested = batch(max_sequences=2)
    added(tested, (5, 9), (5, 9), (5, 9))
    step(tested)
    assert (tested.running, tested.waiting) == (2, 1)


def test_a_prompt_that_does_not_fit_the_cache_waits_and_nobody_overtakes_it() -> None:
    tested = batch(kv_tokens=100)
    added(tested, (90, 5), (50, 5), (1, 5))
    step(tested)
    assert (tested.running, tested.waiting) == (1, 2)


def test_a_full_cache_displaces_the_one_admitted_last_which_comes_back_first() -> None:
    tested = batch(kv_tokens=20)
    first, last = added(tested, (10, 5), (10, 5))
    late = Sequence(3, 9)
    tested.add(late)
    step(tested)
    step(tested)
    assert (first.generated, last.generated, last.preemptions, tested.preemptions) == (2, 1, 1, 1)
    ends = []
    while tested.running or tested.waiting:
        ends += [sequence for sequence in step(tested) if sequence.finished]
    assert ends == [first, last, late]
    assert last.generated == 5


def test_a_prompt_without_an_answer_ends_with_its_computation() -> None:
    tested = batch()
    (sequence,) = added(tested, (10, 0))
    assert step(tested) == [sequence]
    assert sequence.finished
    assert sequence.generated == 0
    assert tested.plan() is None


def test_one_that_is_gone_gives_its_cache_back_and_gets_no_token() -> None:
    tested = batch()
    gone, kept = added(tested, (10, 5), (10, 5))
    planned = tested.plan()
    assert planned is not None
    assert tested.remove(gone)
    assert not tested.remove(gone)
    assert tested.complete(planned) == [kept]
    assert tested.cached_tokens == 10


def test_paused_it_runs_what_runs_and_admits_nothing() -> None:
    tested = batch()
    (running,) = added(tested, (10, 5))
    step(tested)
    tested.admits = False
    added(tested, (10, 5))
    assert step(tested) == [running]
    assert tested.waiting == 1


@given(
    lengths=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 40)), min_size=1, max_size=20),
    kv_tokens=st.integers(100, 300),
    max_sequences=st.integers(1, 6),
    step_tokens=st.integers(6, 80),
    gone=st.sets(st.integers(0, 19)),
)
def test_whatever_comes_the_limits_hold_and_all_of_it_ends(
    lengths: list[tuple[int, int]], kv_tokens: int, max_sequences: int, step_tokens: int, gone: set[int]
) -> None:
    tested = batch(kv_tokens, max_sequences, step_tokens)
    sequences = added(tested, *lengths)
    steps = 0
    while (planned := tested.plan()) is not None:
        held = sum(sequence.held for sequence in tested)
        assert tested.cached_tokens == held <= kv_tokens
        assert tested.running <= max_sequences
        assert 0 < planned.tokens <= step_tokens
        if steps in gone and steps < len(sequences):
            tested.remove(sequences[steps])
        tested.complete(planned)
        steps += 1
        assert steps < 20_000
    assert tested.running == tested.waiting == tested.cached_tokens == 0
    for index, sequence in enumerate(sequences):
        assert sequence.finished or index in gone
