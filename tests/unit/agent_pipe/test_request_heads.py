"""Heads of requests: what is passed on, what is refused rather than guessed."""

import pytest

from stoker_runtime.agent.framing.requests import RequestHead, read_request_head
from stoker_runtime.agent.framing.unreadable import UnreadableError


def read(*lines: bytes) -> RequestHead:
    return read_request_head(b"\r\n".join([*lines, b"", b""]), most_fields=8)


def test_fields_are_passed_on_as_they_came() -> None:
    head = read(b"POST /v1/x?a=b HTTP/1.1", b"HOST:  model ", b"X-Odd:\ta b\t", b"Content-Length: 2")
    assert head.to_engine() == b"POST /v1/x?a=b HTTP/1.1\r\nHOST:  model \r\nX-Odd:\ta b\t\r\nContent-Length: 2\r\n\r\n"
    assert (head.length, head.counts, head.keep_alive) == (2, True, True)


def test_an_engine_may_be_told_another_host() -> None:
    head = read(b"GET / HTTP/1.1", b"A: b", b"HOST: model.default.svc")
    assert head.to_engine("localhost") == b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\r\n"


def test_an_old_client_need_not_name_a_host_and_its_engine_gets_one() -> None:
    assert read(b"GET / HTTP/1.0").lines == [b"Host: localhost"]


def test_fields_of_one_connection_stay_on_it() -> None:
    head = read(
        b"GET / HTTP/1.1",
        b"Host: a",
        b"Connection: keep-alive, X-Mine, Content-Type",
        b"X-Mine: 1",
        b"Keep-Alive: timeout=5",
        b"Upgrade: h2c",
        b"TE: trailers",
        b"Content-Type: text/plain",
    )
    assert head.lines == [b"Host: a", b"Content-Type: text/plain"]


def test_chunks_are_announced_anew() -> None:
    head = read(b"POST / HTTP/1.1", b"Host: a", b"transfer-ENCODING: Chunked")
    assert head.length is None
    assert head.to_engine().endswith(b"\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_expect_is_answered_here_and_not_passed_on() -> None:
    head = read(b"POST / HTTP/1.1", b"Host: a", b"Expect: 100-Continue", b"Content-Length: 5")
    assert head.asks_first
    assert head.lines == [b"Host: a", b"Content-Length: 5"]


def test_nobody_is_asked_to_send_an_empty_body() -> None:
    assert not read(b"POST / HTTP/1.1", b"Host: a", b"Expect: 100-continue").asks_first


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"http://other:80/v1?x", b"/v1?x", b"Host: other:80"),
        (b"HTTPS://other", b"/", b"Host: other"),
        (b"http://other?x", b"/?x", b"Host: other"),
    ],
)
def test_a_whole_address_is_its_path_and_its_host(target: bytes, path: bytes, host: bytes) -> None:
    head = read(b"GET %b HTTP/1.1" % target, b"Host: liar")
    assert (head.target, head.lines) == (path, [host])


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [(b"1", b"x", True), (b"1", b"Close", False), (b"0", b"x", False), (b"0", b"Keep-Alive", True)],
)
def test_the_connection_is_kept_as_the_client_wants(version: bytes, connection: bytes, kept: bool) -> None:
    assert read(b"GET / HTTP/1." + version, b"Host: a", b"Connection: " + connection).keep_alive is kept


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_what_no_model_works_for_does_not_count(method: bytes) -> None:
    assert not read(b"%b / HTTP/1.1" % method, b"Host: a").counts


H, G = b"Host: a", b"POST / HTTP/1.1"


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (400, [b"nonsense"]),
        (400, [b"GET  / HTTP/1.1", H]),
        (400, [b"GET / HTTP/1.1 ", H]),
        (400, [b" GET / HTTP/1.1", H]),
        (400, [b"GET /a b HTTP/1.1", H]),
        (400, [b"GET /\xff HTTP/1.1", H]),
        (400, [b"GET /#a HTTP/1.1", H]),
        (400, [b"GET v1 HTTP/1.1", H]),
        (400, [b"GET * HTTP/1.1", H]),
        (400, [b"GET http://me@other/ HTTP/1.1", H]),
        (400, [b"G\x00T / HTTP/1.1", H]),
        (400, [b"GET / http/1.1", H]),
        (505, [b"GET / HTTP/2.0", H]),
        (505, [b"GET / HTTP/1.2", H]),
        (400, [G]),
        (400, [G, H, H]),
        (400, [b"GET / HTTP/1.0", H, H]),
        (400, [G, H, b"no colon"]),
        (400, [G, H, b": no name"]),
        (400, [G, H, b"Content-Length : 5"]),
        (400, [G, H, b"A: b", b" folded"]),
        (400, [G, H, b"\tA: b"]),
        (400, [G, H, b"A: b\x00c"]),
        (400, [G, H, b"A: b\rc"]),
        (400, [G, H, b"A: b\nContent-Length: 5"]),
        (400, [G, H, b"A: b\x7f"]),
        (400, [G, H, b"A\xff: b"]),
        (400, [G, H, b"Content-Length: 5", b"Content-Length: 5"]),
        (400, [G, H, b"Content-Length: 5, 5"]),
        (400, [G, H, b"Content-Length: +5"]),
        (400, [G, H, b"Content-Length: -1"]),
        (400, [G, H, b"Content-Length: 5 5"]),
        (400, [G, H, b"Content-Length: 0x5"]),
        (400, [G, H, b"Content-Length: 5_0"]),
        (400, [G, H, b"Content-Length: \xb2"]),
        (400, [G, H, b"Content-Length:"]),
        (400, [G, H, b"Content-Length: 9999999999999999"]),
        (400, [G, H, b"Transfer-Encoding: chunked", b"Content-Length: 5"]),
        (400, [G, H, b"Content-Length: 0", b"Transfer-Encoding: chunked"]),
        (400, [G, H, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"]),
        (400, [G, H, b"Transfer-Encoding: identity"]),
        (400, [G, H, b"Transfer-Encoding: gzip, chunked"]),
        (400, [G, H, b"Transfer-Encoding: chunked, identity"]),
        (400, [G, H, b"Transfer-Encoding: xchunked"]),
        (400, [G, H, b"Transfer-Encoding: \x0bchunked"]),
        (400, [G, H, b"Transfer-Encoding:"]),
        (400, [b"POST / HTTP/1.0", b"Transfer-Encoding: chunked"]),
        (417, [G, H, b"Expect: a-miracle"]),
        (501, [G, H, b"Upgrade: websocket", b"Connection: Upgrade"]),
        (501, [b"CONNECT /x HTTP/1.1", H]),
        (431, [G, H, *[b"A: b"] * 8]),
    ],
)
def test_what_may_mean_two_things_is_refused(status: int, lines: list[bytes]) -> None:
    with pytest.raises(UnreadableError) as refused:
        read(*lines)
    assert refused.value.status == status


def test_a_refusal_shows_what_was_found_in_plain_letters() -> None:
    with pytest.raises(UnreadableError, match=r"no header field: 'caf\\xe9'"):
        read(b"GET / HTTP/1.1", b"Host: a", b"caf\xe9")
