"""The API server itself: there, and of a version that Stoker knows; and which optional APIs it has."""

import re
from typing import Final

from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, Silence, Unread

OLDEST: Final = (1, 30)  # the first with the CEL library that the rules of the CRD are written in
NEWEST_TESTED: Final = (1, 35)
_API_SERVER = "api-server"


def api_server(facts: Facts) -> Check:
    version = facts.version
    if isinstance(version, str):
        return _supported(version, facts.address)
    if version.silence is Silence.UNREACHABLE:
        remedy = "check the address, the network and --context"
        return Check(_API_SERVER, Level.FAIL, f"nobody answers at {facts.address}: {version.why}", remedy)
    if version.silence is Silence.UNAUTHENTICATED:
        remedy = "log in again, or choose other credentials with --kubeconfig and --context"
        sentence = f"{facts.address} does not accept the credentials: {version.why}"
        return Check(_API_SERVER, Level.FAIL, sentence, remedy)
    return version.check(_API_SERVER)


def _supported(version: str, address: str) -> Check:
    # v1.35.2+k3s1 and v1.33.4-gke.100 alike
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if match is None:
        return Check(_API_SERVER, Level.UNKNOWN, f"{address} says that its version is {version!r}, which is none")
    found = int(match[1]), int(match[2])
    if found < OLDEST:
        sentence = f"Kubernetes {version} is older than {_text(OLDEST)}, the oldest that Stoker works with"
        return Check(_API_SERVER, Level.FAIL, sentence, "upgrade the cluster")
    if found > NEWEST_TESTED:
        newest = f"{_text(NEWEST_TESTED)}, the newest that this Stoker is tested with"
        remedy = "try it in a test cluster first, or upgrade Stoker"
        return Check(_API_SERVER, Level.WARN, f"Kubernetes {version} is newer than {newest}", remedy)
    return Check(_API_SERVER, Level.OK, f"Kubernetes {version} at {address}")


def leader_worker_set(facts: Facts) -> Check:
    name, there = "leader-worker-set", facts.leader_worker_sets
    if isinstance(there, Unread):
        return there.check(name)
    if there:
        return Check(name, Level.OK, "the LeaderWorkerSet API is there: a replica may span nodes")
    return Check(name, Level.OK, "the LeaderWorkerSet API is not there: only a replica that spans nodes would need it")


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
