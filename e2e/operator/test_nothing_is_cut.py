"""Replicas come and go under streams, on kept and on fresh connections, and no client sees it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.operator.conftest import Models, Operators
from e2e.operator.streams import Load, with_agent
from e2e.operator_process import OperatorProcess
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

# 40 ms a token: a stream of 100 tokens lasts four seconds, longer than routing needs to forget a replica.
ENGINE = {"name": "simulated", "image": None, "custom": None, "args": ["--decode-base-ms", "40"]}
STREAM_TOKENS = 100
RATE = 6.0
GRACE_SECONDS = 60


@pytest.fixture(scope="module")
def image(operators: Operators) -> str:
    load_image(operators.cluster.layout, "simulated")
    return build_image("simulated").reference


@pytest.fixture
def operator(operators: Operators, image: str) -> Iterator[OperatorProcess]:
    with operators.operator(engines=with_agent(image)) as process:
        yield process


def served(models: Models, replicas: int, **spec: Any) -> Load:
    models.create(replicas=replicas, engine=ENGINE, drain={"graceSeconds": GRACE_SECONDS}, **spec)
    models.wait_ready(seconds=120)
    until(lambda: len(models.pods()) == replicas, "every replica", 60)
    models.wait_settled()
    return Load(models, RATE, STREAM_TOKENS)


@pytest.mark.usefixtures("operator")
def test_fewer_replicas(models: Models) -> None:
    load = served(models, 3)
    # Beside those who come when they like, some who ask again as soon as they have an answer.
    users = Load(models, RATE, STREAM_TOKENS, users=8)
    with load.running(), users.running():
        models.namespace.kubectl("scale", "mdep/web", "--replicas=1")
        until(lambda: len(models.pods()) == 1, "one replica", 90)
    load.assert_that_nobody_noticed()
    assert users.result["outcomes"] == {"finished": users.result["sent"]}, users.result


@pytest.mark.usefixtures("operator")
def test_a_rollout(models: Models) -> None:
    load = served(models, 2)
    before = set(models.pods())
    with load.running():
        changed = ENGINE | {"env": [{"name": "NEW", "value": "yes"}]}
        models.create(replicas=2, engine=changed, drain={"graceSeconds": GRACE_SECONDS})
        until(lambda: len(models.pods()) == 2 and not set(models.pods()) & before, "the new revision", 120)
    load.assert_that_nobody_noticed()


@pytest.mark.usefixtures("operator")
def test_a_pod_that_somebody_deletes(models: Models) -> None:
    load = served(models, 2)
    with load.running():
        victim = next(iter(models.pods()))
        models.namespace.kubectl("delete", f"pod/{victim}", "--wait=false")
        until(lambda: len(models.pods()) == 2 and victim not in models.pods(), "a replacement", 90)
        models.wait_ready()
    load.assert_that_nobody_noticed()


def test_an_operator_that_is_killed_while_replicas_leave(models: Models, operators: Operators, image: str) -> None:
    with operators.operator(engines=with_agent(image)) as doomed:
        load = served(models, 3)
        with load.running():
            models.namespace.kubectl("scale", "mdep/web", "--replicas=1")
            time.sleep(1)
            doomed.kill()
            with operators.operator(engines=with_agent(image)):
                until(lambda: len(models.pods()) == 1, "one replica", 90)
                time.sleep(5)
    load.assert_that_nobody_noticed()


@pytest.mark.usefixtures("operator")
def test_a_warm_replica_that_is_promoted_and_demoted(models: Models) -> None:
    """Each move is one label, and a second later the traffic is where it should be."""
    load = served(models, 1, scaling={"maxReplicas": 3, "mode": "Off", "warmReplicas": 1})
    until(lambda: models.namespace.json("get", "mdep/web")["status"]["warmReplicas"] == 1, "a warm replica", 60)
    with load.running():
        for _ in range(3):
            for replicas in (2, 1):
                models.namespace.kubectl("scale", "mdep/web", f"--replicas={replicas}")
                until(lambda wanted=replicas: len(models.pods()) == wanted, f"{replicas} serving", 60)  # type: ignore[misc]
                time.sleep(2)
    load.assert_that_nobody_noticed()
