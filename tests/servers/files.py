"""A plain web server."""

from collections.abc import Mapping

from tests.servers.contents import digest_of
from tests.servers.serving import Answer, Asked, Content


class Files:
    """`contents` may change while it runs. `heads` that are not known are refused with 405, as some servers do."""

    def __init__(self, contents: Mapping[str, Content], *, ranges: bool = True, heads: bool = True) -> None:
        self.contents = dict(contents)
        self._ranges, self._heads = ranges, heads

    def answer(self, asked: Asked) -> Answer:
        content = self.contents.get(asked.path.lstrip("/"))
        if content is None:
            return Answer(404, b"not here\n")
        if asked.method == "HEAD" and not self._heads:
            return Answer(405)
        headers = {"ETag": f'"{digest_of(content)[:32]}"'}
        return Answer(200, content, headers, self._ranges)
