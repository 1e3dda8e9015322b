"""Who is waited for, and for how long."""

from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.tally import Outcome
from tests.unit.agent_pipe.memory import Bench, settled
from tests.unit.agent_pipe.raw_engine import answer, post

LIMITS = Limits(answer_seconds=1000.0)


async def test_a_slow_head_is_not_waited_for_however_its_bytes_trickle() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    for _ in range(12):
        client.arrives(b"a")
        bench.later(LIMITS.head_seconds / 10)
    assert client.taken().startswith(b"HTTP/1.1 408 ")
    assert client.ended


async def test_a_client_that_asks_nothing_is_let_go_without_a_word() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    bench.later(LIMITS.idle_seconds - 1)
    assert not client.is_closing()
    bench.later(2)
    assert client.is_closing()
    assert not client.sent


async def test_a_body_that_stops_coming_frees_the_engine() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    client.arrives(post(b"hello")[:-1])
    await settled()
    bench.later(LIMITS.body_seconds - 1)
    client.arrives(b"")
    assert not client.sent
    bench.later(LIMITS.body_seconds + 1)
    assert client.taken().startswith(b"HTTP/1.1 408 ")
    assert bench.engines[0].is_closing()
    assert bench.tally.ended[Outcome.REJECTED] == 1


async def test_a_body_that_the_engine_does_not_take_is_not_the_clients_fault() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    client.arrives(post(b"hello")[:-1])
    await settled()
    bench.engines[0].protocol.pause_writing()
    bench.later(LIMITS.body_seconds + 1)
    assert not client.sent
    bench.engines[0].protocol.resume_writing()
    bench.later(LIMITS.body_seconds - 1)
    assert not client.sent


async def test_an_engine_that_does_not_answer_in_time_is_a_gateway_timeout() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    client.arrives(post())
    await settled()
    bench.later(1001)
    assert client.taken().startswith(b"HTTP/1.1 504 ")
    assert bench.engines[0].is_closing()
    assert bench.tally.ended[Outcome.ENGINE_FAILED] == 1


async def test_without_a_limit_a_queue_may_be_as_long_as_it_likes() -> None:
    bench = Bench(Limits())
    client = bench.client()
    client.arrives(post())
    await settled()
    bench.later(100_000)
    assert not client.sent
    bench.engines[0].arrives(answer(b"abc"))
    assert client.taken() == answer(b"abc")


async def test_a_stream_may_pause_as_long_as_it_likes() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    client.arrives(post())
    await settled()
    bench.engines[0].arrives(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
    bench.later(100_000)
    assert not client.is_closing()


async def test_a_client_that_takes_nothing_is_cut_and_its_request_cancelled() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    client.arrives(post())
    await settled()
    bench.engines[0].arrives(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
    client.protocol.pause_writing()
    assert not bench.engines[0].is_reading()
    bench.later(LIMITS.stuck_seconds + 1)
    await settled()
    assert client.is_closing()
    assert bench.engines[0].is_closing()
    assert bench.tally.ended[Outcome.CLIENT_LEFT] == 1


async def test_a_refused_client_that_goes_on_sending_is_read_for_a_moment_and_then_closed() -> None:
    bench = Bench(LIMITS)
    client = bench.client()
    client.arrives(b"nonsense\r\n\r\n")
    assert client.ended
    client.arrives(b"more" * 1000)
    assert not client.is_closing()
    bench.later(LIMITS.linger_seconds + 1)
    assert client.is_closing()


async def test_a_connection_to_the_engine_that_does_not_come_about_is_a_bad_gateway() -> None:
    bench = Bench(Limits(connect_seconds=0.01), never_connects=True)
    client = bench.client()
    client.arrives(post())
    await bench.tally.until_idle()
    assert client.taken().startswith(b"HTTP/1.1 502 ")
