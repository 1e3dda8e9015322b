"""Requests out of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.simulated.http1 import Request, RequestReader, UnreadableError

PLAIN = b"POST /v1/models?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;name=value\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n"
)


def read(data: bytes) -> Request:
    reader = RequestReader()
    reader.feed(data)
    request = reader.next()
    assert request is not None
    return request


def test_a_request_is_read() -> None:
    request = read(PLAIN)
    assert (request.method, request.path, request.query, request.body) == ("POST", "/v1/models", "a=b", b"hello")
    assert request.headers == {"host": "x", "content-length": "5"}


def test_a_body_in_chunks_is_put_together() -> None:
    assert read(CHUNKED).body == b"hello"


@given(cut=st.lists(st.integers(0, len(PLAIN + CHUNKED)), max_size=10))
def test_it_does_not_matter_where_the_bytes_are_cut(cut: list[int]) -> None:
    data = PLAIN + CHUNKED
    reader = RequestReader()
    bodies = []
    for start, end in zip([0, *sorted(cut)], [*sorted(cut), len(data)], strict=True):
        reader.feed(data[start:end])
        while (request := reader.next()) is not None:
            bodies.append((request.path, request.body))
    assert bodies == [("/v1/models", b"hello"), ("/", b"hello")]


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", True),
    ],
)
def test_the_connection_is_kept_as_the_client_wants(head: bytes, keeps: bool) -> None:
    assert read(head).keep_alive is keeps


def test_a_client_that_asks_before_it_sends_is_told_to_go_on() -> None:
    reader = RequestReader()
    reader.feed(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert reader.next() is None
    assert reader.wants_continue


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET //[ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nname : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000, 431),
    ],
)
def test_what_cannot_be_told_apart_is_refused(data: bytes, status: int) -> None:
    reader = RequestReader()
    reader.feed(data)
    with pytest.raises(UnreadableError) as refused:
        reader.next()
    assert refused.value.status == status
