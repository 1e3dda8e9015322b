"""The operator works with the chart's own roles, in all namespaces and in one."""

import pytest

from e2e.chart.completion import wait_until_it_completes
from e2e.chart.release import Release
from e2e.cluster.kubectl import kubectl_ok
from e2e.operator.conftest import Models
from e2e.running_cluster import Namespace, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NEVER = (
    "list secrets",
    "create pods",
    "create pods/exec",
    "update modeldeployments",
    "delete nodes",
    "list namespaces",
)


def may(release: Release, what: str, namespace: str) -> bool:
    account = f"system:serviceaccount:{release.namespace.name}:stoker-operator"
    layout = release.namespace.cluster.layout
    return kubectl_ok(layout, "auth", "can-i", *what.split(), f"--as={account}", f"--namespace={namespace}")


def test_the_account_may_not_do_what_nobody_needs(release: Release, namespace: Namespace) -> None:
    release.install()
    assert may(release, "patch pods", namespace.name)
    assert [what for what in NEVER if may(release, what, namespace.name)] == []


@pytest.mark.parametrize("cluster_reads", [True, False])
def test_an_operator_of_one_namespace_serves_there_and_may_nothing_elsewhere(
    cluster_reads: bool, release: Release, models: Models
) -> None:
    watched = models.namespace.name
    release.install({"configuration": {"watch": {"namespaces": [watched]}}, "rbac": {"clusterReads": cluster_reads}})
    models.create()
    models.wait_ready()
    wait_until_it_completes(models)
    models.namespace.kubectl("scale", "mdep/web", "--replicas=2")
    until(lambda: len(models.pods()) == 2, "the second replica")
    assert may(release, "patch pods", watched)
    assert not may(release, "list pods", "default")
    assert may(release, "list nodes", "default") is cluster_reads
