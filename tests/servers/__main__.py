"""`python -m tests.servers KIND --folder DIR --port N`: one server, until it is stopped."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.servers.contents import in_folder, text_of
from tests.servers.files import Files
from tests.servers.hub import Cdn, Hub
from tests.servers.registry import Pushed, Registry
from tests.servers.s3 import S3, Bucket
from tests.servers.serving import Application, Running

_TITLE = "org.opencontainers.image.title"


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    certificate = (options.certificate, options.key) if options.certificate else None
    running = Running(_KINDS[options.kind](options), None, options.host, options.port, certificate)
    print(f"{options.kind} at {running.url}", flush=True)
    running.serve_forever()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("kind", choices=sorted(_KINDS))
    parser.add_argument("--folder", type=Path, required=True, help="what is served")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", type=Path, help="a PEM file, for TLS")
    parser.add_argument("--key", type=Path, help="its key")
    parser.add_argument("--cdn", help="hub: the address of a server of kind cdn with the same folder")
    parser.add_argument("--token", help="hub: a token that may read everything")
    parser.add_argument("--gated", action="append", default=[], help="hub: a repository behind a licence")
    parser.add_argument("--account", help="s3: KEY:SECRET, registry: USER:PASSWORD; without one all is public")
    parser.add_argument("--no-ranges", action="store_true", help="files: answer ranges with the whole")
    return parser


def _hub(options: argparse.Namespace) -> Application:
    """The folder has ORG/NAME/ for each repository."""
    hub = Hub(options.cdn)
    names = [path.relative_to(options.folder).as_posix() for path in options.folder.glob("*/*") if path.is_dir()]
    for name in names:
        hub.push(name, in_folder(options.folder / name), gated=name in options.gated)
    if options.token:
        hub.accounts[options.token] = set(names)
    return hub


def _s3(options: argparse.Namespace) -> Application:
    """The folder has one folder for each bucket."""
    service = S3(dict([options.account.split(":", 1)]) if options.account else None)
    for folder in options.folder.iterdir():
        service.buckets[folder.name] = Bucket(dict(in_folder(folder)), public=not options.account, checksums=True)
    return service


def _registry(options: argparse.Namespace) -> Application:
    """The folder has REPOSITORY/TAG/, each of them an artifact of its files."""
    user, _, password = (options.account or "").partition(":")
    registry = Registry((user, password) if options.account else None)
    for folder in options.folder.glob("*/*"):
        layers = [
            Pushed(content, "application/octet-stream", {_TITLE: path}) for path, content in in_folder(folder).items()
        ]
        registry.push(folder.parent.name, folder.name, layers)
    return registry


def _ollama(options: argparse.Namespace) -> Application:
    """The folder has NAME/TAG/ with the files model, template, params, license and system, as far as there are."""
    registry = Registry()
    for folder in options.folder.glob("*/*"):
        layers = [
            Pushed(content if path == "model" else text_of(content), f"application/vnd.ollama.image.{path}")
            for path, content in in_folder(folder).items()
        ]
        registry.push(f"library/{folder.parent.name}", folder.name, layers)
    return registry


_KINDS: dict[str, Callable[[argparse.Namespace], Application]] = {
    "hub": _hub,
    "cdn": lambda options: Cdn(in_folder(options.folder)),
    "s3": _s3,
    "files": lambda options: Files(in_folder(options.folder), ranges=not options.no_ranges),
    "registry": _registry,
    "ollama": _ollama,
}

if __name__ == "__main__":
    main()
