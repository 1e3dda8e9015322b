"""An engine's page of metrics, read as the load of its replica."""

from stoker.core.scaling.observation import Load
from stoker.signals.account import Account, Figures
from stoker_runtime.readings import read


class EngineAnswers:
    """Of one replica, in order."""

    __slots__ = ("_account", "_engine")

    def __init__(self, engine: str, account: Account) -> None:
        self._engine = engine
        self._account = account

    def read(self, body: bytes, now_seconds: float) -> Load:
        """Raises UnreadableError."""
        said = read(self._engine, body)
        figures = Figures(
            running=said.running,
            queued=said.queued,
            kv_share=said.kv_share,
            preemptions=said.preemptions,
            prompt_tokens=said.prompt_tokens,
            output_tokens=said.output_tokens,
            ttft_count=said.ttft_count,
            ttft_sum_seconds=said.ttft_sum_seconds,
            itl_count=said.itl_count,
            itl_sum_seconds=said.itl_sum_seconds,
        )
        return self._account.load(figures, now_seconds)
