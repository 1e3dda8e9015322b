"""One state of a small world. States are values: two that are equal are the same, and lead to the same."""

from dataclasses import dataclass, field, replace
from enum import IntEnum

from stoker.core.names import Tier
from stoker.core.pool.report import UNHEARD, Gate, Report, Verb
from stoker.core.pool.seat import Want


class BrokenPromiseError(AssertionError):
    """Says which, in a sentence."""


class Sleep(IntEnum):
    AWAKE, FALLING, ASLEEP, WAKING = range(4)


class Since(IntEnum):
    """How long a pod has been on its way out."""

    JUST_NOW, FLOOR, DEADLINE = range(3)


@dataclass(frozen=True, slots=True)
class Order:
    """On its way to an agent."""

    verb: Verb
    number: int
    awaited: bool = True  # False: its time is over, and it may come all the same


@dataclass(frozen=True, slots=True)
class Pod:
    name: int
    label: Tier = Tier.SERVING
    ready: bool = True
    routed: bool = True
    in_flight: bool = False
    gate: Gate = Gate.OPEN
    sleep: Sleep = Sleep.AWAKE
    latest: int = 0  # number of the last order that the agent carried out
    sends: int = 0  # the last number that was given to one
    orders: tuple[Order, ...] = ()
    report: Report = UNHEARD  # what the operator keeps of it
    since: Since = Since.JUST_NOW

    @property
    def api(self) -> tuple[Tier, bool]:
        """What its object in the API server says, which a write is fenced by."""
        return self.label, self.ready


@dataclass(frozen=True, slots=True)
class Act:
    """One write or order of a plan, and what must still be true for it."""

    kind: str  # label, tell, delete, detach, grow
    pod: int = -1
    seen: tuple[Tier, bool] | None = None
    label: Tier | None = None
    verb: Verb | None = None
    blind: bool = False  # nothing was known of the pod's requests when it was planned


@dataclass(frozen=True, slots=True)
class Faults:
    """How many of each may still happen."""

    crashes: int = 0  # of the operator
    lost: int = 0  # orders or answers that do not arrive in time
    restarts: int = 0  # of a replica's container
    stuck: int = 0  # wake-ups that fail
    unanswered: int = 0  # labels that are written, and nobody is told so


@dataclass(frozen=True, slots=True)
class World:
    pods: tuple[Pod, ...]
    wants: tuple[Want, ...]  # the present one, and those that follow
    faults: Faults = Faults()
    requests: int = 0  # that may still come
    plan: tuple[Act, ...] = ()
    looked: bool = field(default=False)  # whether the last look found nothing to do and nothing has changed since

    @property
    def want(self) -> Want:
        return self.wants[0]

    def of(self, name: int) -> Pod | None:
        return next((pod for pod in self.pods if pod.name == name), None)

    def with_pod(self, changed: Pod, **changes: object) -> "World":
        pods = tuple(changed if pod.name == changed.name else pod for pod in self.pods)
        return replace(self, pods=pods, looked=False, **changes)  # type: ignore[arg-type]


def ranked(pod: Pod) -> Pod:
    """Only the order of the numbers matters, so they are kept small."""
    used = sorted({0, pod.latest, *(order.number for order in pod.orders)})
    rank = {number: index for index, number in enumerate(used)}
    orders = tuple(replace(order, number=rank[order.number]) for order in pod.orders)
    return replace(pod, latest=rank[pod.latest], orders=orders, sends=rank[used[-1]])
