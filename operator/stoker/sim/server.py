"""Continuous batching, many steps at a time.

The same rules as stoker_runtime.simulated.batching, which makes one step after the other. Between two changes of the
batch its n sequences decode a token each, so step j of such a run takes, with k tokens in the cache before it,

    T_j = c + g·n·j,   c = a + b_d·n + g·k,       T_1 + … + T_m = m·(c + g·n·(m + 1) / 2)

and a run of any length costs one event. A run ends with the first sequence that finishes, with a full cache, or at the
step boundary after an arrival that may be admitted. Steps that compute prompts are made one by one.
"""

from collections import deque
from heapq import heapify, heappop, heappush
from math import inf, sqrt

from stoker.sim.request import NEVER, Request
from stoker_runtime.simulated.timing import Replica


class Server:
    __slots__ = (
        "_base",
        "_budget",
        "_cap",
        "_decoding",
        "_finishing",
        "_g",
        "_kv",
        "_n",
        "_p",
        "_partial",
        "_prompts",
        "_removed",
        "_run_base",
        "_run_slope",
        "_run_steps",
        "_serial",
        "_slow_seconds",
        "arrivals",
        "cached_tokens",
        "clock",
        "failed",
        "finished",
        "first_step_seconds",
        "gap_count",
        "gap_seconds",
        "in_flight",
        "last_wait_seconds",
        "next_at",
        "output_tokens",
        "owner",
        "preemptions",
        "prompt_tokens",
        "running_gauge",
        "slow_steps",
        "step",
        "ttft_count",
        "ttft_seconds",
        "unanswered",
        "waiting",
        "waiting_gauge",
    )

    def __init__(self, replica: Replica, slow_seconds: float = inf, first_step_seconds: float = 0.0) -> None:
        if replica.step_tokens < replica.max_sequences:
            raise ValueError(
                f"replica: step_tokens {replica.step_tokens} is less than max_sequences {replica.max_sequences}:"
                " give a step room for a token of each"
            )
        self._base = replica.cost.base_seconds
        self._p = replica.cost.per_prompt_token_seconds
        self._n = replica.cost.per_decoding_seconds
        self._g = replica.cost.per_cached_token_seconds
        self._kv = replica.kv_tokens
        self._cap = replica.max_sequences
        self._budget = replica.step_tokens
        self._slow_seconds = slow_seconds
        self.first_step_seconds = first_step_seconds  # what the first step after a cold start takes longer
        self.owner: object = None
        self.arrivals = self.finished = self.failed = self.preemptions = 0
        self.in_flight = self.unanswered = 0  # unanswered: of those in flight, without a first token
        self.prompt_tokens = self.output_tokens = self.ttft_count = self.gap_count = 0
        self.ttft_seconds = self.gap_seconds = 0.0
        self.last_wait_seconds = 0.0  # of the one that began last, for its first token
        self.slow_steps = 0
        self.step = 0
        self._serial = 0
        self.clock = 0.0
        self.next_at = inf
        self._clear()

    def _clear(self) -> None:
        self.waiting: deque[Request] = deque()
        self._finishing: list[tuple[int, int, Request]] = []
        self._partial: Request | None = None  # the only one whose prompt is computed in part
        self._prompts: list[tuple[Request, int]] = []
        self._removed = False
        self._run_steps = 0  # 0: the step under way computes prompts
        self._run_base = self._run_slope = 0.0
        self._decoding = 0
        self.cached_tokens = 0
        self.running_gauge = self.waiting_gauge = 0

    def submit(self, request: Request, now: float) -> None:
        """Comes in at `now`; the end of the step under way admits it."""
        self.in_flight += 1
        self.unanswered += 1
        self.arrivals += 1
        self.prompt_tokens += request.prompt_tokens
        self.waiting.append(request)
        if self.next_at == inf:
            self.clock = now
            self._plan()
        elif self._run_steps > 1 and len(self.waiting) == 1 and self._decoding < self._cap:
            self._cut_run(now)

    def remove(self, request: Request, now: float) -> None:
        """The client has gone: what it held is free when the step under way ends."""
        request.gone = True
        self.in_flight -= 1
        self.failed += 1
        if request.first == NEVER:
            self.unanswered -= 1
        if request in self.waiting:
            self.waiting.remove(request)
            if self._run_steps > 1:
                self._cut_run(now)
            return
        self._removed = True
        if self._run_steps > 1:
            self._cut_run(now)

    def abort_all(self) -> list[Request]:
        """The process is gone, and with it all that it had."""
        lost = [request for _, _, request in self._finishing] + list(self.waiting)
        lost += [request for request, _ in self._prompts]
        if self._partial is not None and self._partial not in lost:
            lost.append(self._partial)
        lost = [request for request in lost if not request.gone]
        for request in lost:
            request.gone = True
        self.in_flight = self.unanswered = 0
        self.failed += len(lost)
        self.next_at = inf
        self._clear()
        return lost

    def progress(self) -> None:
        """What was under way until `next_at` is done, and the next is begun."""
        ended_at = self.next_at
        duration = ended_at - self.clock
        decoding = self._decoding
        if steps := self._run_steps:
            self.step += steps
            self.cached_tokens += decoding * steps
            self.slow_steps += self._slow_in_run(steps)
        else:
            steps = 1
            self.step += 1
            if duration > self._slow_seconds:
                self.slow_steps += 1
        self.gap_count += decoding * steps
        self.output_tokens += decoding * steps
        self.gap_seconds += decoding * duration
        self.clock = ended_at
        if self._removed:
            self._purge()
        if self._prompts:
            self._complete_prompts()
        finishing, step = self._finishing, self.step
        while finishing and finishing[0][0] == step:
            request = heappop(finishing)[2]
            self._decoding -= 1
            self.cached_tokens -= request.base_tokens + step
            request.slow_gaps += self.slow_steps - request.slow_before
            request.generated = request.output_tokens
            self._end(request)
        self._plan()

    def steps_until(self, now: float) -> int:
        """Steps of the run under way that have ended by `now`."""
        if not self._run_steps:
            return 0
        return max(0, self._boundary(now) - 1)

    def run_seconds(self, steps: int) -> float:
        """What the first steps of the run under way have taken."""
        return steps * (self._run_base + self._run_slope * (steps + 1) / 2)

    def kv_share(self, now: float) -> float:
        return (self.cached_tokens + self._decoding * self.steps_until(now)) / self._kv

    def _slow_in_run(self, steps: int) -> int:
        limit, slope = self._slow_seconds, self._run_slope
        if self._run_base + slope * steps <= limit:
            return 0
        if slope <= 0.0 or self._run_base >= limit:
            return steps
        return steps - int((limit - self._run_base) / slope)

    def _boundary(self, now: float) -> int:
        """The step of the run that is under way at `now`, counted from 1."""
        elapsed = now - self.clock
        slope = self._run_slope
        half = self._run_base + slope / 2
        step = int(2.0 * elapsed / (half + sqrt(half * half + 2.0 * slope * elapsed)))
        while step * (half + slope * step / 2) < elapsed:
            step += 1
        return max(1, min(step, self._run_steps))

    def _cut_run(self, now: float) -> None:
        step = self._boundary(now)
        if step < self._run_steps:
            self._run_steps = step
            self.next_at = self.clock + step * (self._run_base + self._run_slope * (step + 1) / 2)

    def _plan(self) -> None:
        waiting = self.waiting
        self.waiting_gauge = len(waiting)
        displaced = False
        if self._decoding > self._kv - self.cached_tokens:
            self._displace()
            displaced = True
        decoding = self._decoding
        if self._partial is None and not displaced and not (waiting and self._admissible(waiting[0])):
            if decoding:
                self._begin_run(decoding)
            else:
                self.next_at = inf
                self.running_gauge = 0
            return
        self.cached_tokens += decoding
        computed = self._begin_prompts(self._budget - decoding, admits=not displaced)
        if not decoding and not self._prompts:
            # A sequence that displaced itself: the next look admits it again.
            self._plan()
            return
        self._run_steps = 0
        self.running_gauge = decoding + len(self._prompts)
        self.waiting_gauge = len(waiting)
        self.next_at = (
            self.clock
            + self._base
            + self._p * computed
            + self._n * decoding
            + self._g * self.cached_tokens
            + self.first_step_seconds
        )
        self.first_step_seconds = 0.0

    def _admissible(self, request: Request) -> bool:
        decoding = self._decoding
        return (
            decoding < self._cap
            and decoding < self._budget
            and self.cached_tokens + decoding + request.uncomputed <= self._kv
        )

    def _begin_run(self, decoding: int) -> None:
        steps = self._finishing[0][0] - self.step
        room = (self._kv - self.cached_tokens) // decoding
        if room < steps:  # noqa: PLR1730 - min() takes twice as long, here where it counts
            steps = room
        self._run_steps = steps
        base = self._run_base = self._base + self._n * decoding + self._g * self.cached_tokens
        slope = self._run_slope = self._g * decoding
        self.next_at = self.clock + steps * (base + slope * (steps + 1) / 2)
        self.running_gauge = decoding

    def _begin_prompts(self, budget: int, *, admits: bool) -> int:
        """The prompt tokens that the step computes."""
        prompts, waiting = self._prompts, self.waiting
        computed = 0
        partial = self._partial
        running = self._decoding
        if partial is not None:
            running += 1
            if tokens := min(partial.uncomputed, budget):
                prompts.append((partial, tokens))
                computed = tokens
                budget -= tokens
        while admits and budget > 0 and waiting and running < self._cap:
            request = waiting[0]
            if self.cached_tokens + request.uncomputed > self._kv:
                break
            waiting.popleft()
            running += 1
            self._serial += 1
            request.admitted_as = self._serial
            request.base_tokens = request.uncomputed
            self.cached_tokens += request.uncomputed
            tokens = min(request.uncomputed, budget)
            prompts.append((request, tokens))
            computed += tokens
            budget -= tokens
        return computed

    def _complete_prompts(self) -> None:
        now, step = self.clock, self.step
        self._partial = None
        for request, tokens in self._prompts:
            if request.gone:
                self.cached_tokens -= request.base_tokens
                continue
            request.uncomputed -= tokens
            if request.uncomputed:
                self._partial = request
                continue
            if request.first == NEVER:
                request.first = now
                self.unanswered -= 1
                self.ttft_count += 1
                self.last_wait_seconds = now - request.submitted
                self.ttft_seconds += self.last_wait_seconds
            elif now - request.left_at > self._slow_seconds:
                request.slow_gaps += 1
            if request.output_tokens:
                request.generated += 1
                self.output_tokens += 1
            left = request.output_tokens - request.generated
            if left <= 0:
                self.cached_tokens -= request.base_tokens
                self._end(request)
                continue
            request.born_at_step = step
            request.base_tokens -= step
            request.slow_before = self.slow_steps
            heappush(self._finishing, (step + left, request.admitted_as, request))
            self._decoding += 1
        self._prompts = []

    def _end(self, request: Request) -> None:
        request.ended = self.clock
        self.in_flight -= 1
        self.finished += 1

    def _purge(self) -> None:
        """Frees what those held whose clients have gone."""
        self._removed = False
        for _, _, request in self._finishing:
            if request.gone:
                self.cached_tokens -= request.base_tokens + self.step
        self._finishing = [item for item in self._finishing if not item[2].gone]
        heapify(self._finishing)
        self._decoding = len(self._finishing)
        if self._partial is not None and self._partial.gone and not self._prompts:
            self.cached_tokens -= self._partial.base_tokens
            self._partial = None

    def _displace(self) -> None:
        """Gives each sequence room for a token, oldest first; who finds none displaces the youngest."""
        running = sorted((item[2] for item in self._finishing), key=lambda request: request.admitted_as)
        room = self._kv - self.cached_tokens
        served = 0
        while served < len(running):
            if room > 0:
                room -= 1
                served += 1
                continue
            if self._partial is not None:
                last, self._partial = self._partial, None
                held = last.base_tokens
            else:
                last = running.pop()
                held = last.base_tokens + self.step
                last.generated += self.step - last.born_at_step
                last.slow_gaps += self.slow_steps - last.slow_before
                last.left_at = self.clock
            room += held
            self.cached_tokens -= held
            last.uncomputed = last.computed_tokens + last.generated
            self.preemptions += 1
            self.waiting.appendleft(last)
        self._finishing = [
            (request.output_tokens - request.generated + request.born_at_step, request.admitted_as, request)
            for request in running
        ]
        heapify(self._finishing)
        self._decoding = len(running)
