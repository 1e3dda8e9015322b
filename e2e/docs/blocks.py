"""The commands of a page: its `sh` blocks, each with why it is not run or that it runs meanwhile.

A comment above a block says so: `<!-- not run: WHY -->`, or `<!-- meanwhile -->` for what goes on beside the blocks
that follow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = "not run: "
_MEANWHILE = "meanwhile"


@dataclass(frozen=True)
class Block:
    line: int
    text: str
    why_not_run: str | None = None
    meanwhile: bool = False


def blocks(page: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page):
        mark = found["mark"] or ""
        if mark and not mark.startswith(_NOT_RUN) and mark != _MEANWHILE:
            raise ValueError(f"{mark}: is no mark: write `not run: WHY` or `meanwhile`")
        yield Block(
            line=page[: found.start("text")].count("\n") + 1,
            text=found["text"],
            why_not_run=mark.removeprefix(_NOT_RUN) if mark.startswith(_NOT_RUN) else None,
            meanwhile=mark == _MEANWHILE,
        )
