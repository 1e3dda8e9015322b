"""Real vLLM streams for as long as is promised: through the Service and the agent, to the last token that was ordered.

Meanwhile the model gets a second replica and gives one back, which stays for its streams, and the operator is killed
while it does. Their model looks back to a window of tokens, so that each of its tokens takes as long as the first did,
and a quarter of a million need no more memory.

`make test-soak` alone runs this: two starts of vLLM are too long for the tests that run each time, which pass over a
file of this name.
"""

import json
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest

from e2e.cluster.images import load_image
from e2e.cluster.layout import DNS_DOMAIN
from e2e.images.build import build as build_image
from e2e.models.build import build as build_model
from e2e.models.llama import LASTING
from e2e.operator.conftest import ROOT, Models, Operators, claim_of
from e2e.operator.one_stream import BEGAN, Streamed
from e2e.operator.real_vllm import on_the_processor
from e2e.operator.streams import SOAK_MINUTES, Load, wait_until_routed
from e2e.running_cluster import until

SECONDS = SOAK_MINUTES * 60
# Two replicas and their clients share the cores of the machine, which makes the tokens slower than was measured.
LONGEST_SECONDS = 3 * SECONDS + 120
PACE_TOKENS = 1000
FIRST = 2  # streams that last from the beginning to the end
MOST_TRIES = 12
# Whoever reads along takes a longer silence for the end.
MOST_SILENT_SECONDS = 10.0

pytestmark = [pytest.mark.e2e, pytest.mark.vllm, pytest.mark.timeout(LONGEST_SECONDS + 900)]


class Streams:
    """Each is read by a client of its own, over a connection of its own."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._clients: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.terminate()
            client.communicate()

    def begin(self, tokens: int) -> None:
        """Its first token has come."""
        assert tokens < LASTING.context, f"{tokens} tokens are more than the model's context: this machine is too fast"
        url = f"http://web.{self._models.namespace.name}.svc.{DNS_DOMAIN}/v1"
        asking = [sys.executable, "-m", "e2e.operator.one_stream", url, "web", str(tokens)]
        command = self._models.namespace.cluster.tool(*asking)
        self._clients.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT))
        assert said_by(self._clients[-1]).readline().strip() == BEGAN

    def ended(self) -> list[Streamed]:
        """All that began, in that order, when the last of them has ended."""
        said = [client.communicate()[0] for client in self._clients]
        self._clients = []
        return [Streamed(**json.loads(one)) for one in said]


def said_by(client: "subprocess.Popen[str]") -> IO[str]:
    assert client.stdout
    return client.stdout


def test_streams_of_real_vllm_that_last_end_with_the_last_token_that_was_ordered(
    models: Models, operators: Operators, tmp_path: Path, figure: Callable[[str, float], None]
) -> None:
    key = tmp_path / "agent-key"
    key.write_text(secrets.token_hex(32))
    configuration = {"runtime": {"image": build_image("runtime").reference}, "agent": {"keyFile": str(key)}}
    short_ones = Load(models, 0.5, 8, "--seconds", str(LONGEST_SECONDS))
    with operators.operator(**configuration) as doomed, Streams(models) as streams:
        one_replica(models)
        for _ in range(FIRST):
            streams.begin(PACE_TOKENS)
        pace = min(stream.seconds_per_token for stream in streams.ended())
        with short_ones.running():
            two_replicas_with_streams(models, streams, pace)
            scale(models, 1)
            until(lambda: bool(leaving(models)), "a replica that leaves", 60)
            began = time.monotonic()
            doomed.kill()
            with operators.operator(**configuration):
                wait_until_gone(models, *leaving(models))
                figure("from leaving to gone, its stream finished and the operator killed", time.monotonic() - began)
                found = streams.ended()
                assert len(models.pods()) == 1
    short_ones.assert_that_nobody_noticed()
    for stream in found:
        assert_whole(stream)
        figure(told(stream), stream.seconds)
    assert min(stream.seconds for stream in found[:FIRST]) >= SECONDS


def one_replica(models: Models) -> None:
    layout = models.namespace.cluster.layout
    load_image(layout, "runtime")
    folder = layout.state / "lasting-model"
    shutil.rmtree(folder, ignore_errors=True)
    build_model("lasting-llama", folder)
    claim_of(models, str(folder))
    models.create(
        model={"source": "pvc://tiny-llama"},
        engine=on_the_processor(LASTING.context),
        accelerator={"count": 1},
        # Whoever leaves may finish its streams, however long they last.
        drain={"graceSeconds": int(LONGEST_SECONDS)},
    )
    models.wait_ready(seconds=240)
    wait_until_routed(models)


def two_replicas_with_streams(models: Models, streams: Streams, seconds_per_token: float) -> None:
    """Some of them on each."""
    for _ in range(FIRST):
        streams.begin(int(SECONDS / seconds_per_token))
    time.sleep(SECONDS / 6)
    scale(models, 2)
    until(lambda: len(models.pods()) == 2, "two replicas", 60)
    models.wait_settled(seconds=240)
    for _ in range(MOST_TRIES):
        # A connection goes to either.
        streams.begin(int(SECONDS / 3 / seconds_per_token))
        if all(has_a_stream(models, pod) for pod in models.pods()):
            break
    else:
        raise AssertionError(f"{MOST_TRIES} connections, and one replica has none")
    time.sleep(SECONDS / 6)


def scale(models: Models, replicas: int) -> None:
    models.namespace.kubectl("scale", "mdep/web", f"--replicas={replicas}")


def leaving(models: Models) -> list[str]:
    found = models.namespace.json("get", "pods", "--selector=stoker.dev/tier=draining")["items"]
    return [pod["metadata"]["name"] for pod in found]


def wait_until_gone(models: Models, pod: str) -> None:
    """By one request, since asking again and again would take the processor from the streams."""
    models.namespace.kubectl("wait", f"pod/{pod}", "--for=delete", f"--timeout={LONGEST_SECONDS:.0f}s")


def has_a_stream(models: Models, pod: str) -> bool:
    """The short ones beside them are gone by the next look."""
    first = in_flight(models, pod)
    time.sleep(1)
    return first > 0 and in_flight(models, pod) > 0


def in_flight(models: Models, pod: str) -> int:
    address = models.namespace.json("get", f"pod/{pod}")["status"]["podIP"]
    answer = models.namespace.cluster.run("curl", "--silent", "--fail", f"http://{address}:8010/load")
    assert answer.returncode == 0, answer.stderr
    return int(json.loads(answer.stdout)["in_flight"])


def assert_whole(stream: Streamed) -> None:
    assert stream.finish_reason == "length", stream
    assert stream.tokens == stream.said_tokens == stream.ordered_tokens, stream
    assert stream.longest_silence_seconds < MOST_SILENT_SECONDS, stream


def told(stream: Streamed) -> str:
    silence = f"{1000 * stream.longest_silence_seconds:.0f} ms at {stream.longest_silence_at_seconds:.0f} s"
    return f"a stream of real vLLM, {stream.tokens} tokens in {stream.pieces} pieces; its longest silence: {silence}"
