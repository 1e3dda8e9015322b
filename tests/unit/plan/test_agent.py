"""Where the agent of a replica stands, and what goes through it."""

import hashlib
import hmac
from typing import Any

import pytest

from stoker.api.v1alpha1.engine import EngineName
from stoker.core.control_token import ControlKey, Purpose
from stoker.core.plan.actions import CreateReplicaSet
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Snapshot
from stoker_runtime.agent.options import options_from
from tests.unit.plan.builders import UID, cluster, deployment, snapshot
from tests.unit.plan.fetching import FOLDER, INSPECTED, answered, fetched

RUNTIME = "registry.example.com/stoker/runtime:1"
OTHER = "registry.example.com/vendor/server:1"
KEY = ControlKey(b"k" * 32)
CUSTOM = {"name": "custom", "image": OTHER, "custom": {"port": 9000, "healthPath": "/ok"}}


def pod_of(
    engine: dict[str, Any],
    key: ControlKey | None = KEY,
    accelerator: dict[str, Any] | None = None,
    **configuration: Any,
) -> dict[str, Any]:
    spec: dict[str, Any] = {"engine": engine, "drain": {"graceSeconds": 77}} | (
        {"accelerator": accelerator} if accelerator else {}
    )
    world = cluster(configuration={"runtime": {"image": RUNTIME}} | configuration, control_key=key)
    unseen = snapshot(deployment(**spec), cluster=world)
    return replica_of(answered(unseen, INSPECTED) if world.configuration.runtime.image else unseen)


def replica_of(world: Snapshot) -> dict[str, Any]:
    (made,) = [action for action in plan(world).actions if isinstance(action, CreateReplicaSet)]
    spec: dict[str, Any] = made.body["spec"]["template"]["spec"]
    return spec


def flag(args: list[str], name: str) -> str:
    return args[args.index(name) + 1]


def test_in_the_runtime_image_the_agent_starts_the_engine_on_loopback() -> None:
    spec = pod_of({"name": "simulated"})
    (server,) = spec["containers"]
    assert "initContainers" not in spec
    assert server["image"] == RUNTIME
    assert server["command"] == ["python3", "-m", "stoker_runtime"]
    own, engine = server["args"][: server["args"].index("--")], server["args"][server["args"].index("--") + 1 :]
    assert own[0] == "agent"
    assert flag(own, "--grace-seconds") == "77"
    assert engine[:4] == ["python3", "-m", "stoker_runtime", "simulated"]
    assert flag(engine, "--host") == "127.0.0.1"
    assert flag(engine, "--port") == flag(own, "--engine-port")


def test_beside_another_image_the_agent_starts_before_the_engine_and_ends_after_it() -> None:
    spec = pod_of(CUSTOM)
    (server,), (agent,) = spec["containers"], spec["initContainers"]
    assert server["image"] == OTHER
    assert (agent["image"], agent["restartPolicy"]) == (RUNTIME, "Always")
    assert flag(agent["args"], "--engine-port") == "9000"
    assert flag(agent["args"], "--health-path") == "/ok"
    assert "--" not in agent["args"]
    assert agent["securityContext"] == server["securityContext"]


@pytest.mark.parametrize("engine", [{"name": "simulated"}, CUSTOM])
def test_the_kubelet_asks_the_agent_and_never_the_engine(engine: dict[str, Any]) -> None:
    (server,) = pod_of(engine)["containers"]
    asked = {server[probe]["httpGet"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert asked == {ports["agent"]}
    assert server["startupProbe"]["periodSeconds"] == 1
    assert ports["http"] not in (ports["agent"], 9000)


def test_an_agent_beside_is_told_of_the_end_before_the_engine_is() -> None:
    spec = pod_of(CUSTOM)
    (server,), (agent,) = spec["containers"], spec["initContainers"]
    asked = server["lifecycle"]["preStop"]["httpGet"]
    token = asked["httpHeaders"][0]["value"]
    assert (asked["path"], asked["httpHeaders"][0]["name"]) == ("/prestop", "X-Stoker-Prestop")
    assert flag(agent["args"], "--prestop-token-sha256") == hashlib.sha256(token.encode()).hexdigest()
    assert token != KEY.token(Purpose.CONTROL, "models", "llama")
    assert spec["terminationGracePeriodSeconds"] > 77


def test_a_template_holds_no_token_that_commands() -> None:
    spec = pod_of({"name": "simulated"})
    token = KEY.token(Purpose.CONTROL, "models", "llama")
    assert flag(spec["containers"][0]["args"], "--control-token-sha256") == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(spec)


def test_tokens_differ_by_purpose_namespace_and_name() -> None:
    named = {(purpose, space, name) for purpose in Purpose for space in ("a", "ab") for name in ("b", "bb")}
    assert len({KEY.token(*each) for each in named}) == len(named)
    assert "kkk" not in repr(KEY)


def test_without_a_key_agents_take_no_orders() -> None:
    assert "--control-token-sha256" not in pod_of({"name": "simulated"}, None)["containers"][0]["args"]


def test_without_a_key_nobody_can_guess_how_a_node_says_farewell() -> None:
    header = pod_of(CUSTOM, None)["containers"][0]["lifecycle"]["preStop"]["httpGet"]["httpHeaders"][0]
    assert header["value"] != hmac.new(b"", b"farewell\0models\0llama", hashlib.sha256).hexdigest()
    assert header["value"] == ControlKey(UID.encode()).token(Purpose.FAREWELL, "models", "llama")


def test_there_is_no_empty_key() -> None:
    with pytest.raises(ValueError, match="anybody can compute"):
        ControlKey(b"")


def test_an_engine_on_the_agents_usual_port_is_given_way_to() -> None:
    engine = CUSTOM | {"custom": {"port": 8000}}
    (server,) = pod_of(engine)["containers"]
    assert {port["name"]: port["containerPort"] for port in server["ports"]}["http"] == 8001


@pytest.mark.parametrize(
    ("place", "sidecars", "first"), [("None", 0, None), ("Beside", 1, None), ("Inside", 0, "agent")]
)
def test_the_platform_team_decides_for_the_image_that_it_gives(place: str, sidecars: int, first: str | None) -> None:
    own = "registry.example.com/platform/simulated:1"
    spec = pod_of({"name": "simulated"}, engines=[{"name": "simulated", "image": own, "agent": place}])
    assert len(spec.get("initContainers", ())) == sidecars
    assert (spec["containers"][0]["args"][0] == "agent") == (first == "agent")


def test_without_a_runtime_image_the_engine_owns_its_port() -> None:
    spec = pod_of(CUSTOM, runtime={})
    (server,) = spec["containers"]
    assert "initContainers" not in spec
    assert server["ports"] == [{"name": "http", "containerPort": 9000}]
    assert server["readinessProbe"]["httpGet"] == {"path": "/ok", "port": "http"}


def test_warmup_prompts_reach_the_agent() -> None:
    (server,) = pod_of({"name": "simulated", "warmupPrompts": ["Hello", "World"]})["containers"]
    args = server["args"]
    assert [args[at + 1] for at, arg in enumerate(args) if arg == "--warmup-prompt"] == ["Hello", "World"]


def test_the_agent_checks_the_folder_that_stoker_filled_and_no_other() -> None:
    (server,) = replica_of(fetched())["initContainers"]
    assert flag(server["args"], "--weights").startswith("/mnt/weights")
    assert FOLDER in str(server["volumeMounts"])
    (own,) = pod_of({"name": "simulated"})["containers"]
    assert "--weights" not in own["args"]  # what somebody else put on a claim has no manifest


@pytest.mark.parametrize("name", [name for name in EngineName if name not in ("bentoml", "custom")])
def test_the_agent_understands_what_it_is_told_for_every_engine(name: EngineName) -> None:
    engine = {"name": name.value, "image": OTHER, "warmupPrompts": ["Hello"]}
    (agent,) = pod_of(engine, accelerator={"count": 1})["initContainers"]
    options = options_from(agent["args"][1:])
    assert (options.engine, options.engine_port, options.grace_seconds) == (name.value, 8100, 77)


def test_the_agent_understands_what_it_is_told_with_an_engine_of_its_own() -> None:
    (server,) = pod_of({"name": "simulated"})["containers"]
    options = options_from(server["args"][1:])
    assert options.command[-1] == server["args"][-1]
    assert options.serve_port == 8000


def test_a_short_grace_leaves_a_short_time_to_settle() -> None:
    unseen = snapshot(
        deployment(engine={"name": "simulated"}, drain={"graceSeconds": 2}),
        cluster=cluster(configuration={"runtime": {"image": RUNTIME}}),
    )
    (server,) = replica_of(answered(unseen, INSPECTED))["containers"]
    assert options_from(server["args"][1:]).settle_seconds == 2
