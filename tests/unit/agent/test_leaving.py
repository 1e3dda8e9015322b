"""SIGTERM, /prestop, /drain and /open, with real processes and streams in flight."""

import asyncio
import signal
from pathlib import Path

from tests.unit.agent.agents import CONTROL, HOOK, TOKEN, Agent

SLOW = ("--decode-base-ms", "10", "--decode-per-sequence-ms", "0", "--prefill-tokens-per-second", "1000000")


async def test_told_to_end_it_cuts_no_stream_and_exits_with_0(tmp_path: Path) -> None:
    async with Agent(tmp_path).of(*SLOW) as agent:
        await agent.ready()
        streams = [asyncio.create_task(agent.stream(60)) for _ in range(10)]
        await agent.loaded(in_flight=10)
        agent.process.send_signal(signal.SIGTERM)
        bodies = await asyncio.gather(*streams)
        assert await agent.code() == 0
    assert all(body.count(b"data: {") >= 60 and body.rstrip().endswith(b"data: [DONE]") for body in bodies)
    assert not (tmp_path / "termination").exists()


async def test_the_prestop_hook_answers_when_the_last_stream_has_ended(tmp_path: Path) -> None:
    async with Agent(tmp_path).of(*SLOW) as agent:
        await agent.ready()
        stream = asyncio.create_task(agent.stream(60))
        await agent.loaded(in_flight=1)
        status, _ = await agent.get("/prestop", **HOOK)
        assert status == 200
        assert (await agent.load())["in_flight"] == 0
        assert (await stream).rstrip().endswith(b"data: [DONE]")
        agent.process.send_signal(signal.SIGTERM)
        assert await agent.code() == 0


async def test_a_hook_whose_streams_last_longer_than_the_grace_is_answered_at_its_end(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--grace-seconds", "0.5").of(*SLOW) as agent:
        await agent.ready()
        stream = asyncio.create_task(agent.stream(3000))
        await agent.loaded(in_flight=1)
        status, text = await agent.get("/prestop", **HOOK)
        assert (status, "1 in flight" in text) == (202, True)
        stream.cancel()


async def test_a_grace_that_is_over_ends_the_engine_all_the_same(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--grace-seconds", "0.3", stop_seconds=1).of(*SLOW) as agent:
        await agent.ready()
        stream = asyncio.create_task(agent.stream(3000))
        await agent.loaded(in_flight=1)
        agent.process.send_signal(signal.SIGTERM)
        assert await agent.code() == 0
        assert "the grace is over with 1 request(s) in flight" in await agent.output()
        await asyncio.gather(stream, return_exceptions=True)


async def test_what_was_drained_refuses_and_stays_until_it_is_opened(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        assert (await agent.post("/drain"))[0] in {200, 202}
        await agent.loaded(gate="refusing")
        assert (await agent.complete())[0] == 503
        assert (await agent.get("/readyz"))[0] == 200
        assert (await agent.post("/drain"))[0] == 200
        assert (await agent.post("/open"))[0] == 200
        assert (await agent.complete())[0] == 200
        assert (await agent.load())["gate"] == "open"


async def test_before_it_refuses_it_settles_and_serves(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--settle-seconds", "0.5").of() as agent:
        await agent.ready()
        await agent.post("/drain")
        assert (await agent.load())["gate"] == "leaving"
        arrives_after = asyncio.get_running_loop().time()
        assert (await agent.complete())[0] == 200
        await agent.loaded(gate="refusing")
        assert asyncio.get_running_loop().time() - arrives_after >= 1.0, "a second without an arrival"


async def test_an_engine_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    text = (
        "import http.server, os, signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
        "print('child', child.pid, flush=True)\n"
        "class Good(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers()\n"
        "    log_message = lambda *_: None\n"
        "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Good).serve_forever()\n"
    )
    async with Agent(tmp_path, stop_seconds=0.5).with_script(text) as agent:
        await agent.ready()
        agent.process.send_signal(signal.SIGTERM)
        assert await agent.code() == 0
        output = await agent.output()
    assert "did not end within 0.5 s of SIGTERM and is killed" in output
    pid = int(output.split("child ")[1].split()[0])
    await until_gone(pid)


async def test_told_to_end_while_the_engine_loads_it_ends_at_once(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--settle-seconds", "30").of("--start-seconds", "1000") as agent:
        await agent.loaded(phase="loading")
        agent.process.send_signal(signal.SIGTERM)
        assert await agent.code(5) == 0


async def test_a_second_sigterm_changes_nothing(tmp_path: Path) -> None:
    async with Agent(tmp_path).of(*SLOW) as agent:
        await agent.ready()
        stream = asyncio.create_task(agent.stream(60))
        await agent.loaded(in_flight=1)
        for _ in range(3):
            agent.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.05)
        assert (await stream).rstrip().endswith(b"data: [DONE]")
        assert await agent.code() == 0


async def test_a_second_interrupt_does_not_wait_for_streams(tmp_path: Path) -> None:
    async with Agent(tmp_path, stop_seconds=0.5).of(*SLOW) as agent:
        await agent.ready()
        stream = asyncio.create_task(agent.stream(3000))
        await agent.loaded(in_flight=1)
        agent.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.1)
        agent.process.send_signal(signal.SIGINT)
        assert await agent.code(5) == 0
        await asyncio.gather(stream, return_exceptions=True)


async def test_after_a_signal_there_is_no_way_back(tmp_path: Path) -> None:
    async with Agent(tmp_path).of(*SLOW) as agent:
        await agent.ready()
        stream = asyncio.create_task(agent.stream(80))
        await agent.loaded(in_flight=1)
        agent.process.send_signal(signal.SIGTERM)
        await agent.loaded(gate="refusing")
        assert (await agent.post("/open"))[0] == 409
        assert (await agent.get("/readyz")) == (503, "ending\n")
        await stream
        assert await agent.code() == 0


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(5):
        while _lives(pid):  # noqa: ASYNC110 - what another process would do
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    """A zombie that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_a_verb_needs_its_token(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        for path in ("/drain", "/open", "/sleep", "/wake"):
            assert (await agent.post(path, token=TOKEN[:-1]))[0] == 401
            assert (await agent.post(path, token=""))[0] == 401
        assert (await agent.get("/prestop"))[0] == 401
        assert (await agent.get("/prestop", **CONTROL))[0] == 401
        assert (await agent.load())["gate"] == "open"
