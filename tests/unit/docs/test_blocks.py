"""How the commands of a page are found."""

import pytest

from e2e.docs.blocks import Block, blocks

_PAGE = """\
# A page
```sh
one
two
```
<!-- not run: needs a GPU -->
```sh
three
```
<!-- meanwhile -->
```sh
four
```
```yaml
five: 5
```
"""


def test_each_block_is_found_with_its_line_and_what_becomes_of_it() -> None:
    assert list(blocks(_PAGE)) == [
        Block(3, "one\ntwo\n"),
        Block(8, "three\n", why_not_run="needs a GPU"),
        Block(12, "four\n", meanwhile=True),
    ]


@pytest.mark.parametrize("mark", ["not run", "later"])
def test_a_mark_that_means_nothing_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="is no mark"):
        list(blocks(f"<!-- {mark} -->\n```sh\ntrue\n```\n"))
