"""One replica and where it stands in its life."""

from collections import OrderedDict, deque

from stoker.core.names import Tier
from stoker.core.scaling.observation import Load, Reading, Replica, Stage
from stoker.sim.server import Server


class Pod:
    __slots__ = (
        "boot",
        "charged_at",
        "coming",
        "created",
        "deadline",
        "has_gpu",
        "leaving",
        "load",
        "number",
        "prefixes",
        "routable",
        "server",
        "since",
        "sleeps",
        "stage",
        "tier",
        "turn",
        "uid",
        "wakes",
    )

    def __init__(self, number: int, name: str, tier: Tier, now: float) -> None:
        self.number = number
        self.uid = f"{name}-{number}"
        self.tier = tier
        self.stage = Stage.QUEUED
        self.created = self.since = self.charged_at = now
        self.server: Server | None = None
        self.has_gpu = False
        self.routable = False
        self.leaving = False  # off traffic, and going when nothing is in flight
        self.sleeps = False  # rather than being deleted
        self.wakes = False
        self.turn = 0  # counts its changes, so that a timer of an earlier one does nothing
        self.boot = 0
        self.deadline = 0.0
        self.load: Load | None = None
        self.coming: deque[tuple[float, Load]] = deque()  # answers on their way, with when they arrive
        self.prefixes: OrderedDict[int, None] = OrderedDict()

    @property
    def ready(self) -> bool:
        return self.stage is Stage.READY

    @property
    def in_flight(self) -> int:
        return self.server.in_flight if self.server is not None else 0

    @property
    def bucket(self) -> str:
        """What its GPU is spent on."""
        if self.tier in (Tier.DRAINING, Tier.ASLEEP) or self.ready:
            return self.tier.value
        return "starting"

    def move(self, stage: Stage, now: float) -> None:
        self.stage = stage
        self.since = now

    def finds_prefix(self, prefix: int, kept: int) -> bool:
        """Whether the cache holds it; it does from now on."""
        known = prefix in self.prefixes
        self.prefixes[prefix] = None
        if known:
            self.prefixes.move_to_end(prefix)
        elif len(self.prefixes) > kept:
            self.prefixes.popitem(last=False)
        return known

    def seen(self, now: float, expires_seconds: float, product: str) -> Replica:
        """As an observer knows it, who has only what has reached him."""
        while self.coming and self.coming[0][0] <= now:
            self.load = self.coming.popleft()[1]
        reading = Reading.UNKNOWN
        if self.load is not None:
            reading = Reading.KNOWN if now - self.load.at_seconds <= expires_seconds else Reading.EXPIRED
        return Replica(
            uid=self.uid,
            revision="1",
            product=product,
            tier=self.tier,
            stage=self.stage,
            since_seconds=self.since,
            created_seconds=self.created,
            reading=reading,
            load=self.load,
        )
