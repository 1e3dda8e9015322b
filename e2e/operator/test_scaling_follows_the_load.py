"""The number of replicas follows what the agents count, and no request pays for it."""

import time

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.operator.conftest import Models, Operators
from e2e.operator.streams import Load, with_agent
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

# Four streams at once and two and a half seconds each: a replica carries 1.6 requests a second.
ENGINE = {
    "name": "simulated",
    "image": None,
    "custom": None,
    "maxConcurrency": 4,
    "args": ["--decode-base-ms", "25"],
}
SCALING = {"maxReplicas": 4, "mode": "Auto", "scaleDownDelaySeconds": 20}


def ready(models: Models) -> int:
    return int(models.namespace.json("get", "mdep/web")["status"].get("readyReplicas", 0))


def test_replicas_come_with_the_load_and_go_after_it(models: Models, operators: Operators) -> None:
    load_image(operators.cluster.layout, "simulated")
    with operators.operator(engines=with_agent(build_image("simulated").reference)):
        models.create(replicas=1, engine=ENGINE, scaling=SCALING, drain={"graceSeconds": 60})
        models.wait_ready(seconds=120)
        models.wait_for_reason("ScalingActive", "FollowingLoad", seconds=30)
        load = Load(models, rate=4.0, output_tokens=100)
        with load.running():
            until(lambda: ready(models) >= 3, "three replicas", 120)
            scaling = models.namespace.json("get", "mdep/web")["status"]["scaling"]
            assert scaling["decision"] == "ScaleUp"
            assert scaling["explanation"]
        load.assert_that_nobody_noticed()
        until(lambda: ready(models) == 1, "one replica", 180)
        assert models.namespace.json("get", "mdep/web")["spec"]["replicas"] == 1


def test_an_operator_that_begins_anew_under_load_takes_nothing_away(models: Models, operators: Operators) -> None:
    load_image(operators.cluster.layout, "simulated")
    image = build_image("simulated").reference
    load = Load(models, rate=4.0, output_tokens=100)
    with operators.operator(engines=with_agent(image)) as doomed:
        models.create(replicas=1, engine=ENGINE, scaling=SCALING, drain={"graceSeconds": 60})
        models.wait_ready(seconds=120)
        with load.running():
            until(lambda: ready(models) >= 3, "three replicas", 120)
            pods = set(models.pods())
            doomed.kill()
            with operators.operator(engines=with_agent(image)):
                # The lease of what was killed runs out first.
                time.sleep(45)
                assert pods <= set(models.pods())
    load.assert_that_nobody_noticed()
