"""The command line: `python -m e2e.cluster COMMAND`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from e2e.cluster import commands
from e2e.cluster.binaries import ALL_BINARIES, KSTATUS
from e2e.cluster.layout import DEFAULT_NAME
from e2e.cluster.refusal import Refusal


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except Refusal as refusal:
        print(f"e2e.cluster: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(prog="python -m e2e.cluster", description="A real Kubernetes on this machine.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], help_text: str, named: bool = True
    ) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=help_text)
        added.set_defaults(run=run)
        if named:
            added.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: %(default)s)")
        return added

    building = command("build", commands.build, "build binaries into the cache", named=False)
    names = [binary.name for binary in (*ALL_BINARIES, KSTATUS)]
    building.add_argument(
        "binaries", nargs="*", metavar="BINARY", help=f"some of {', '.join(names)} (default: those of a cluster)"
    )
    packages = command("packages", commands.packages, "check the Debian packages that all of it needs", named=False)
    packages.add_argument("--install", action="store_true", help="install missing ones")
    command("assets", commands.assets, "print a folder with etcd, kube-apiserver and kubectl", named=False)
    plane = command("control-plane", commands.run_control_plane, "etcd and kube-apiserver on loopback", named=False)
    plane.add_argument("--controllers", action="store_true", help="also the controller manager and the scheduler")
    _add_settings(command("up", commands.up, "start a cluster, or what is missing of it"))
    command("down", commands.down, "remove a cluster and all it left")
    command("status", commands.status, "say what runs")
    execute = command("exec", commands.execute, "run a command in the cluster's network")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    load = command("load-image", commands.load_image, "bring an image into the cluster")
    load.add_argument("image", help="an OCI archive, or the name of an image that is built here")
    command("logs", commands.logs, "print a component's log").add_argument("component")
    return parser


def _add_settings(up: argparse.ArgumentParser) -> None:
    up.add_argument("--install", action="store_true", help="install missing Debian packages")
    up.add_argument("--gpus", type=_count, help="GPUs of the node (4 if never chosen)")
    up.add_argument("--gpu-product", help="what the GPUs say they are, e.g. NVIDIA-H100-80GB-HBM3")
    up.add_argument("--kwok-nodes", type=_count, help="nodes that exist in the API alone")
    up.add_argument("--kwok-gpus", type=_count, help="GPUs of each of them (8 if never chosen)")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no count: use 0 or more")
    return int(text)
