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


def there_to_stay(models: Models) -> set[str]:
    """Those that stand aside until they have worked off their queue among them, which are labelled warm meanwhile."""
    return set(models.pods(tiers=("serving", "warm")))


def test_replicas_come_with_the_load_stay_under_another_operator_and_go_after_it(
    models: Models, operators: Operators
) -> None:
    load_image(operators.cluster.layout, "simulated")
    engines = with_agent(build_image("simulated").reference)
    load = Load(models, rate=4.0, output_tokens=100)
    with operators.operator(engines=engines) as first:
        models.create(replicas=1, engine=ENGINE, scaling=SCALING, drain={"graceSeconds": 60})
        models.wait_ready(seconds=120)
        models.wait_for_reason("ScalingActive", "FollowingLoad", seconds=30)
        with load.running():
            until(lambda: ready(models) >= 3, "three replicas", 180)
            scaling = models.namespace.json("get", "mdep/web")["status"]["scaling"]
            assert scaling["decision"] == "ScaleUp"
            assert scaling["explanation"]
            loaded = there_to_stay(models)
            first.stop()
            with operators.operator(engines=engines):
                time.sleep(25)
                assert loaded <= there_to_stay(models), "an operator that has just begun takes nothing away"
    load.assert_that_nobody_noticed()
    with operators.operator(engines=engines):
        until(lambda: ready(models) == 1, "one replica", 180)
        assert models.namespace.json("get", "mdep/web")["spec"]["replicas"] == 1
