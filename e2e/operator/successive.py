"""One operator after the other: where STOKER_KILLS is set, each is killed in the midst of what a test is about."""

import os
from types import TracebackType
from typing import Any, Self

from e2e.operator.conftest import Operators

KILLS = bool(os.environ.get("STOKER_KILLS"))


class Successive:
    """Runs from `with` on and is gone after it."""

    def __init__(self, operators: Operators, **configuration: Any) -> None:
        self._operators, self._configuration = operators, configuration

    def __enter__(self) -> Self:
        self._process = self._operators.operator(**self._configuration).__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    def dies(self) -> None:
        """And the next one takes over once its lease has ended. Otherwise nothing: that takes half a minute."""
        if KILLS:
            self._process.kill()
            self.__enter__()
