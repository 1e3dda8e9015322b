"""How an engine ends, and what the agent makes of it: its exit code, and the message that stays in the pod's status."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from stoker_runtime.agent.exit_codes import ExitCode
from tests.unit.agent.agents import Agent
from tests.unit.agent.test_leaving import until_gone

SLOW = ("--decode-base-ms", "10")


async def test_a_crash_ends_the_agent_with_the_last_lines(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--crash-at-token", "3", "--exit-code", "9") as agent:
        await agent.ready()
        await agent.complete()
        assert await agent.code() == ExitCode.ENGINE_CRASHED
        told = agent.told()
    assert (told["ok"], told["reason"], told["code"]) == (False, "EngineCrashed", 70)
    assert "exit code 9" in told["message"]
    assert told["lines"][-1] == "RuntimeError: CUDA error: an illegal memory access was encountered"


async def test_a_full_gpu_is_told_from_a_full_host(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--out-of-memory-at-token", "3") as agent:
        await agent.ready()
        await agent.complete()
        assert await agent.code() == ExitCode.GPU_MEMORY
        assert "CUDA out of memory" in agent.told()["message"]


@pytest.mark.parametrize(
    ("memory_events", "code"),
    [
        ("oom_kill 0\n", ExitCode.ENGINE_KILLED),
        ("nothing\n", ExitCode.HOST_MEMORY),  # unknown is not zero
    ],
)
async def test_a_killed_engine_ends_the_agent(tmp_path: Path, memory_events: str, code: ExitCode) -> None:
    async with Agent(tmp_path, memory_events=memory_events).of() as agent:
        await agent.ready()
        os.kill(agent.engine_pid, signal.SIGKILL)
        assert await agent.code(5) == code
        assert "signal SIGKILL" in agent.told()["message"]
        assert agent.told()["lines"][-1] == "ready"


async def test_where_the_kernel_counted_a_kill_it_was_memory(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        (tmp_path / "memory.events").write_text("oom 1\noom_kill 1\n")
        os.kill(agent.engine_pid, signal.SIGKILL)
        assert await agent.code(5) == ExitCode.HOST_MEMORY
        assert "raise resources.limits.memory" in agent.told()["message"]


async def test_a_hang_behind_a_good_health_is_found(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--stall-seconds", "2").of("--hang") as agent:
        await agent.ready()
        request = asyncio.create_task(agent.complete())
        await agent.loaded(in_flight=1)
        assert await agent.code(8) == ExitCode.ENGINE_STALLED
        assert "1 request(s) in flight" in agent.told()["message"]
        await asyncio.gather(request, return_exceptions=True)


async def test_an_engine_that_works_on_long_is_not_taken_for_hung(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--stall-seconds", "1").of("--decode-base-ms", "50") as agent:
        await agent.ready()
        status, _ = await agent.complete(max_tokens=60, ignore_eos=True)
        assert status == 200


async def test_a_client_that_does_not_send_its_request_is_no_hang_of_the_engine(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--stall-seconds", "1").of() as agent:
        await agent.ready()
        _, writer = await asyncio.open_connection("127.0.0.1", agent.serve_port)
        writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{")
        await agent.loaded(in_flight=1)
        await asyncio.sleep(3.5)
        assert (await agent.complete())[0] == 200
        writer.close()


async def test_an_engine_that_never_becomes_healthy_is_ended(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--start-seconds", "1").of("--never-ready") as agent:
        assert await agent.code() == ExitCode.NEVER_READY
        assert agent.told()["message"].startswith("/health on 127.0.0.1:")


async def test_an_engine_whose_health_turns_bad_for_good_is_ended(tmp_path: Path) -> None:
    text = (
        "import http.server, os\n"
        "asked = []\n"
        "class Once(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        asked.append(1)\n"
        "        self.send_response(200 if len(asked) == 1 else 500); self.end_headers()\n"
        "    log_message = lambda *_: None\n"
        "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Once).serve_forever()\n"
    )
    async with Agent(tmp_path, "--stall-seconds", "1").with_script(text) as agent:
        await agent.ready()
        await agent.answers("/readyz", 503)
        assert await agent.code() == ExitCode.ENGINE_UNHEALTHY


async def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.command = ["/no/such/engine"]
    async with agent:
        assert await agent.code() == ExitCode.ENGINE_NOT_STARTED
        assert agent.told()["message"].startswith("The engine's command '/no/such/engine' cannot be run: No such file")


async def test_an_engine_that_just_leaves_is_an_error(tmp_path: Path) -> None:
    async with Agent(tmp_path).with_script("print('bye')") as agent:
        assert await agent.code() == ExitCode.ENGINE_LEFT
        assert agent.told()["lines"] == ["bye"]


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as first:
        await first.ready()
        (tmp_path / "other").mkdir()
        second = Agent(tmp_path / "other").of()
        second.control_port = first.control_port
        async with second:
            assert await second.code() == ExitCode.PORT_TAKEN
            assert f"--control-port {first.control_port}" in second.told()["message"]


async def test_wrong_arguments_are_told_in_the_status_too(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--engine", "gpt4all").of() as agent:
        assert await agent.code() == ExitCode.BAD_ARGUMENTS
        assert agent.told()["message"].startswith("--engine is 'gpt4all': write one of vllm, sglang")


async def test_weights_that_are_not_what_was_published_start_no_engine(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    async with Agent(tmp_path, "--weights", str(tmp_path / "weights")).of() as agent:
        assert await agent.code() == ExitCode.WEIGHTS_DAMAGED
        assert "no readable manifest.json" in agent.told()["message"]
        assert "listening" not in await agent.output()


async def test_what_the_engine_started_does_not_outlive_it(tmp_path: Path) -> None:
    text = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
        "print('child', child.pid, flush=True)\n"
        "sys.exit(3)\n"
    )
    async with Agent(tmp_path).with_script(text) as agent:
        assert await agent.code() == ExitCode.ENGINE_CRASHED
        await until_gone(int(agent.told()["lines"][0].split()[1]))


async def test_both_streams_of_the_engine_are_passed_on_whole(tmp_path: Path) -> None:
    text = (
        "import sys\n"
        "for number in range(3000): print('<out>', number, 'x' * 100)\n"
        "for number in range(3000): print('<err>', number, file=sys.stderr)\n"
        "sys.stdout.write('no line end'); sys.exit(1)\n"
    )
    async with Agent(tmp_path).with_script(text) as agent:
        await agent.code()
        output = await agent.output()
    passed_on, _, _ = output.partition("agent: the engine's last lines:")
    assert passed_on.count("<out>") == passed_on.count("<err>") == 3000
    assert "no line end" in passed_on
    assert agent.told()["lines"][-1] == "no line end"


@pytest.mark.skipif(os.geteuid() != 0, reason="a PID namespace needs root")
async def test_as_pid_1_it_reaps_what_others_left_behind(tmp_path: Path) -> None:
    text = (
        "import os, subprocess, sys, time\n"
        "for _ in range(20):\n"
        "    subprocess.Popen(['sh', '-c', 'sleep 0.1 & exit 0']).wait()\n"
        "time.sleep(1)\n"
        "stats = [open(f'/proc/{pid}/stat').read() for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "states = [stat.rsplit(')', 1)[1].split()[0] for stat in stats]\n"
        "print('own pid', os.getpid(), 'parent', os.getppid(), 'zombies', states.count('Z'), flush=True)\n"
        "sys.exit(1)\n"
    )
    async with Agent(tmp_path, prefix=("unshare", "--pid", "--fork", "--mount-proc")).with_script(text) as agent:
        assert await agent.code() == ExitCode.ENGINE_CRASHED
        assert agent.told()["lines"][-1].endswith("parent 1 zombies 0")
