"""Continuous batching as vLLM does it: which sequences take part in the next step. No clock, no I/O.

Running sequences come first, a token each or the next piece of their prompt; then waiting ones are admitted in order
of arrival while there is room. A sequence that finds no room for its next token displaces the one admitted last, which
loses its KV cache and computes it anew.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from stoker_runtime.simulated.timing import Replica


@dataclass(slots=True, eq=False)
class Sequence:
    prompt_tokens: int
    output_tokens: int  # known to the engine alone; the batch reserves nothing for it
    generated: int = 0
    preemptions: int = 0
    uncomputed: int = field(init=False)  # tokens whose KV is missing
    held: int = 0  # tokens of KV reserved

    def __post_init__(self) -> None:
        self.uncomputed = self.prompt_tokens

    @property
    def finished(self) -> bool:
        return self.uncomputed == 0 and self.generated >= self.output_tokens


S = TypeVar("S", bound=Sequence)


@dataclass(frozen=True)
class Step(Generic[S]):
    seconds: float
    prompts: list[tuple[S, int]]  # with the number of tokens computed
    decoding: list[S]

    @property
    def tokens(self) -> int:
        return sum(tokens for _, tokens in self.prompts) + len(self.decoding)


class Batch(Generic[S]):
    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._waiting: OrderedDict[S, None] = OrderedDict()
        self._running: dict[S, None] = {}
        self.cached_tokens = 0
        self.preemptions = 0
        self.admits = True

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def cache_usage(self) -> float:
        return self.cached_tokens / self._replica.kv_tokens

    def __iter__(self) -> Iterator[S]:
        yield from self._running
        yield from self._waiting

    def add(self, sequence: S) -> None:
        self._waiting[sequence] = None

    def remove(self, sequence: S) -> bool:
        """Whether it was there."""
        if sequence in self._running:
            del self._running[sequence]
            self._release(sequence)
            return True
        return self._waiting.pop(sequence, self) is not self

    def plan(self) -> Step[S] | None:
        """The next step, or None where there is nothing to do."""
        budget = self._replica.step_tokens
        prompts: list[tuple[S, int]] = []
        decoding: list[S] = []
        preempted = self.preemptions
        for sequence in list(self._running):
            if budget <= 0:
                break
            if sequence not in self._running:
                continue
            if sequence.uncomputed:
                tokens = min(sequence.uncomputed, budget)
                prompts.append((sequence, tokens))
                budget -= tokens
            elif self._reserve_one(sequence):
                decoding.append(sequence)
                budget -= 1
        if preempted == self.preemptions:
            prompts += self._admit(budget)
        if not prompts and not decoding:
            # A sequence that displaced itself: the next look admits it again.
            return self.plan() if preempted != self.preemptions else None
        computed = sum(tokens for _, tokens in prompts)
        seconds = self._replica.cost.seconds(computed, len(decoding), self.cached_tokens)
        return Step(seconds, prompts, decoding)

    def complete(self, step: Step[S]) -> list[S]:
        """The sequences that have a token more, or whose prompt is done where they want no token."""
        moved = []
        for sequence, tokens in step.prompts:
            if sequence in self._running:
                sequence.uncomputed -= tokens
                if sequence.uncomputed == 0:
                    moved.append(sequence)
        # Those removed while the step ran are gone.
        moved += [sequence for sequence in step.decoding if sequence in self._running]
        for sequence in moved:
            if sequence.output_tokens:
                sequence.generated += 1
            if sequence.finished:
                self.remove(sequence)
        return moved

    def _admit(self, budget: int) -> list[tuple[S, int]]:
        admitted = []
        while self.admits and budget > 0 and self._waiting and len(self._running) < self._replica.max_sequences:
            sequence = next(iter(self._waiting))
            if self.cached_tokens + sequence.uncomputed > self._replica.kv_tokens:
                break
            del self._waiting[sequence]
            self._running[sequence] = None
            sequence.held = sequence.uncomputed
            self.cached_tokens += sequence.held
            tokens = min(sequence.uncomputed, budget)
            admitted.append((sequence, tokens))
            budget -= tokens
        return admitted

    def _reserve_one(self, sequence: S) -> bool:
        while self.cached_tokens >= self._replica.kv_tokens:
            last = next(reversed(self._running))
            self._displace(last)
            if last is sequence:
                return False
        sequence.held += 1
        self.cached_tokens += 1
        return True

    def _displace(self, sequence: S) -> None:
        del self._running[sequence]
        self._release(sequence)
        sequence.uncomputed = sequence.prompt_tokens + sequence.generated
        sequence.preemptions += 1
        self.preemptions += 1
        self._waiting[sequence] = None
        self._waiting.move_to_end(sequence, last=False)

    def _release(self, sequence: S) -> None:
        self.cached_tokens -= sequence.held
        sequence.held = 0
