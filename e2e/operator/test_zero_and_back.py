"""A model that nobody uses goes to zero, and comes back by an annotation, an order, or its schedule."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.operator.conftest import Models, Operators
from e2e.operator.streams import Load, wait_until_routed, with_agent
from e2e.operator.test_scaling_follows_the_load import ENGINE, ready
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_a_model_goes_to_zero_and_is_woken_by_annotation_order_and_schedule(
    models: Models, operators: Operators, figure: Callable[[str, float], None]
) -> None:
    load_image(operators.cluster.layout, "simulated")
    engines, load = with_agent(build_image("simulated").reference), Load(models, rate=4.0, output_tokens=20)
    namespace = models.namespace
    with operators.operator(engines=engines):
        scaling = {"maxReplicas": 3, "mode": "Auto", "scaleDownDelaySeconds": 5, "idleSeconds": 10}
        models.create(replicas=0, engine=ENGINE, scaling=scaling, drain={"graceSeconds": 30})
        models.wait_for_reason("Ready", "AtZero", seconds=30)

        asked = time.monotonic()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        namespace.kubectl("annotate", "mdep/web", f"stoker.dev/woken-at={now}")
        models.wait_for_reason("Ready", "Serving", seconds=90)
        figure("woken by annotation until a replica serves", time.monotonic() - asked)
        figure("Ready until the Service leads to the replica", wait_until_routed(models))
        with load.running():
            time.sleep(15)
            assert ready(models) >= 1, "what is used is not put to sleep, however long ago it was woken"
        load.assert_that_nobody_noticed()
        quiet = time.monotonic()
        models.wait_for_reason("Ready", "AtZero", seconds=120)
        figure("last request until zero, with idleSeconds 10", time.monotonic() - quiet)
        assert not models.pods()

        namespace.kubectl("scale", "mdep/web", "--replicas=1")
        models.wait_for_reason("Ready", "Serving", seconds=90)
        assert models.condition("ScalingLimited")["reason"] != "SecondScaler", "kubectl scale is no second scaler"

        every_minute = '{"spec": {"scaling": {"schedule": [{"cron": "* * * * *", "replicas": 2}]}}}'
        namespace.kubectl("patch", "mdep/web", "--type=merge", f"--patch={every_minute}")
        until(lambda: ready(models) == 2, "the schedule's floor", 90)
