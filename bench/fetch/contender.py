"""`python -m bench.fetch.contender ADDRESS LISTING ROOT`: Stoker's own side of the comparison, as a process."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from stoker_runtime.fetch.fetching import Fetching
from stoker_runtime.fetch.source import RemoteFile, Request
from stoker_runtime.fetch.task import Task
from stoker_runtime.fetch.volume import Volume
from stoker_runtime.fetch.web import HttpWeb


class Listed:
    """A source whose listing is given."""

    def __init__(self, address: str, listing: Path) -> None:
        self._address = address
        self._listing = [RemoteFile(**file) for file in json.loads(listing.read_text())]

    def resolve(self) -> str:
        return "bench"

    def files(self, revision: str) -> Sequence[RemoteFile]:  # noqa: ARG002 - there is only one
        return self._listing

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - there is only one
        return Request(f"{self._address}/{file.path}")


def main(address: str, listing: Path, root: Path) -> None:
    task = Task("https://bench.example.com/model", "model", "bench.fetch")
    web = HttpWeb(frozenset({"127.0.0.1"}), environment={})
    Fetching(task, Volume(root), Listed(address, listing), list, web).run()
    web.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
