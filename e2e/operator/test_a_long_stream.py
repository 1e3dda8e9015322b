"""Streams that last: through the Service and the agent, to the last token, while others come and go beside them.

Half a minute where nothing is said; `make test-soak` lets them run for the 30 minutes that are promised.
"""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from e2e.cluster.images import load_image
from e2e.cluster.layout import DNS_DOMAIN
from e2e.images.build import build as build_image
from e2e.operator.conftest import ROOT, Models, Operators
from e2e.operator.streams import SOAK_MINUTES, Load, wait_until_routed, with_agent

SLACK_SECONDS = 300

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(SOAK_MINUTES * 60 + 2 * SLACK_SECONDS)]


def test_streams_that_last_end_with_their_last_token(
    models: Models, operators: Operators, figure: Callable[[str, float], None]
) -> None:
    load_image(operators.cluster.layout, "simulated")
    seconds = int(SOAK_MINUTES * 60)
    # A token each second, and as many as there are seconds.
    engine = {"name": "simulated", "image": None, "custom": None, "args": ["--decode-base-ms", "1000"]}
    with operators.operator(engines=with_agent(build_image("simulated").reference)):
        models.create(replicas=2, engine=engine | {"contextLength": 32_768, "maxConcurrency": 64})
        models.wait_ready(seconds=120)
        wait_until_routed(models)
        url = f"http://web.{models.namespace.name}.svc.{DNS_DOMAIN}/v1"
        bounds = ["--rate", "2", "--seconds", "8", "--longest", str(seconds + SLACK_SECONDS)]
        flags = [*bounds, "--output-tokens", str(seconds)]
        command = models.namespace.cluster.tool(sys.executable, "-m", "e2e.load", url, *flags)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as lasting:
            # Short ones, so that the agent and its connections are not idle beside them.
            others = Load(models, 1.0, 2, "--seconds", str(seconds + SLACK_SECONDS))
            with others.running():
                said, _ = lasting.communicate(timeout=seconds + SLACK_SECONDS)
    result = json.loads(said)
    assert result["outcomes"] == {"finished": result["sent"]}, result
    assert result["sent"] > 2
    others.assert_that_nobody_noticed()
    figure(f"{result['sent']} streams of a token each second, through agent and Service, none cut", seconds)
