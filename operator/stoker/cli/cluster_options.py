"""--kubeconfig and --context, for every command that talks to a cluster."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stoker.cli.input_error import InputError

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration as Credentials

_IN_CLUSTER_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Cluster:
    """How to reach the API server, and the namespace that is meant where none is named."""

    credentials: "Credentials"
    namespace: str


def add_to(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cluster")
    group.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="(default: $KUBECONFIG, else ~/.kube/config, else the ServiceAccount of the pod that this runs in)",
    )
    group.add_argument("--context", metavar="NAME", help="context of the kubeconfig (default: its current one)")


async def cluster_of(options: argparse.Namespace) -> Cluster:
    """InputError where the kubeconfig cannot be used. Nothing is asked of the cluster yet."""
    from kubernetes.aio.config import ConfigException  # noqa: PLC0415 - start-up must be quick
    from yaml import YAMLError  # noqa: PLC0415

    from stoker.kube.connection import credentials_from  # noqa: PLC0415

    kubeconfig = _kubeconfig(options.kubeconfig)
    if kubeconfig is None and options.context:
        raise InputError([f"--context {options.context}: there is no kubeconfig: give --kubeconfig FILE"])
    try:
        credentials = await credentials_from(kubeconfig, options.context)
        return Cluster(credentials, _namespace(kubeconfig, options.context))
    except (ConfigException, YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError) as failed:
        if kubeconfig is None:
            nowhere = "there is no ~/.kube/config, and no ServiceAccount of a pod"
            raise InputError([f"no cluster: {nowhere}: give --kubeconfig FILE, or set KUBECONFIG"]) from failed
        said = " ".join(str(failed).split()).rstrip(".") or type(failed).__name__
        remedy = "`kubectl config get-contexts` lists what it has"
        raise InputError([f"kubeconfig {kubeconfig}: {said}: {remedy}"]) from failed


def _kubeconfig(given: Path | None) -> Path | None:
    """KUBECONFIG may name several files, which the client merges as kubectl does."""
    if given:
        if not given.is_file():
            raise InputError([f"--kubeconfig {given}: there is no such file: give the path of a kubeconfig"])
        return given
    if named := os.environ.get("KUBECONFIG"):
        if not any(Path(one).expanduser().is_file() for one in named.split(os.pathsep) if one):
            raise InputError([f"KUBECONFIG={named}: there is no such file: correct it, or give --kubeconfig FILE"])
        return Path(named)
    usual = Path.home() / ".kube" / "config"
    return usual if usual.is_file() else None


def _namespace(kubeconfig: Path | None, context: str | None) -> str:
    if kubeconfig is None:
        return _IN_CLUSTER_NAMESPACE.read_text(encoding="utf-8").strip() or "default"
    from kubernetes.aio.config import list_kube_config_contexts  # noqa: PLC0415

    contexts, current = list_kube_config_contexts(str(kubeconfig))  # type: ignore[no-untyped-call]
    chosen = next((one for one in contexts if one["name"] == context), current)
    return str(chosen["context"].get("namespace") or "default")
