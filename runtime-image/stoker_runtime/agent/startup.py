"""How far the start-up is, and how long each of its stages took."""

from enum import StrEnum


class Phase(StrEnum):
    STARTING = "starting"  # until the engine's process is there
    LOADING = "loading"  # until its health is good
    WARMING = "warming"
    READY = "ready"
    FAILED = "failed"


class Stage(StrEnum):
    """What the start-up's time went into; those that an engine does not tell apart are missing."""

    PROCESS = "process"
    IMPORTS = "imports"
    WEIGHTS = "weights"
    ENGINE = "engine"  # profiling, compilation, KV cache, graphs, its server
    LOADING = "loading"  # imports, weights and engine together
    WARM_UP = "warm_up"
    READY = "ready"  # all of it


class StartUp:
    """Told of what happens; times are seconds on the caller's clock."""

    def __init__(self, now_seconds: float) -> None:
        self.phase = Phase.STARTING
        self.was_ready = False
        self.stage_seconds: dict[Stage, float] = {}
        self.began_seconds = self.loading_since_seconds = self._landmark_seconds = now_seconds
        self._warming_since_seconds = now_seconds

    def loads(self, now_seconds: float) -> None:
        """The engine's process is there, or begins anew."""
        if self.phase is Phase.STARTING:
            self.stage_seconds[Stage.PROCESS] = now_seconds - self.began_seconds
        else:
            self.began_seconds = now_seconds
            self.stage_seconds = {}
        self.phase = Phase.LOADING
        self.loading_since_seconds = self._landmark_seconds = now_seconds

    def passes(self, stage: Stage, now_seconds: float) -> None:
        """The engine's log tells the end of a stage of its loading."""
        if self.phase is Phase.LOADING and stage not in self.stage_seconds:
            self.stage_seconds[stage] = now_seconds - self._landmark_seconds
            self._landmark_seconds = now_seconds

    def warms(self, now_seconds: float) -> None:
        self.stage_seconds[Stage.LOADING] = now_seconds - self.loading_since_seconds
        if self._landmark_seconds > self.loading_since_seconds:
            self.stage_seconds[Stage.ENGINE] = now_seconds - self._landmark_seconds
        self._warming_since_seconds = now_seconds
        self.phase = Phase.WARMING

    def is_ready(self, now_seconds: float) -> None:
        self.stage_seconds[Stage.WARM_UP] = now_seconds - self._warming_since_seconds
        self.stage_seconds[Stage.READY] = now_seconds - self.began_seconds
        self.phase = Phase.READY
        self.was_ready = True

    def fails(self) -> None:
        self.phase = Phase.FAILED
