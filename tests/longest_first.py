"""Where files of tests run side by side, a long one that came last would run alone."""

from collections.abc import Sequence

import pytest


def begin_with(files: Sequence[str], items: list[pytest.Item]) -> None:
    """Files by their names without the ending; the rest keeps its order."""
    rank = {name: index for index, name in enumerate(files)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))
