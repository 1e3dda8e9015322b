"""Heads of answers: where the body ends, and what the client gets to see."""

import pytest

from stoker_runtime.agent.framing.responses import Extent, ResponseHead, read_response_head
from stoker_runtime.agent.framing.unreadable import UnreadableError


def read(*lines: bytes, method: bytes = b"POST") -> ResponseHead:
    return read_response_head(b"\r\n".join([*lines, b"", b""]), method, most_fields=8)


OK, CHUNKED, LENGTH = b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", b"Content-Length: 5"


@pytest.mark.parametrize(
    ("method", "lines", "extent"),
    [
        (b"POST", [OK, CHUNKED], Extent.CHUNKED),
        (b"POST", [OK, LENGTH], Extent.LENGTH),
        (b"POST", [OK], Extent.CLOSE),
        (b"HEAD", [OK, LENGTH], Extent.NONE),
        (b"HEAD", [OK, CHUNKED], Extent.NONE),
        (b"POST", [b"HTTP/1.1 204 No Content"], Extent.NONE),
        (b"GET", [b"HTTP/1.1 304 Not Modified", LENGTH], Extent.NONE),
        (b"POST", [b"HTTP/1.1 103 Early Hints"], Extent.NONE),
    ],
)
def test_the_end_of_the_body_is_known(method: bytes, lines: list[bytes], extent: Extent) -> None:
    assert read(*lines, method=method).extent is extent


def test_the_client_gets_the_fields_as_they_came_and_the_framing_of_its_own_connection() -> None:
    head = read(b"HTTP/1.0 200 All right", b"server: x", b"Connection: close, X-Hop", b"X-Hop: 1", b"ETag: a")
    assert not head.keep_alive
    assert head.to_client(Extent.CHUNKED, b"") == (
        b"HTTP/1.1 200 All right\r\nserver: x\r\nETag: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    )


def test_an_answer_without_content_says_no_length() -> None:
    assert read(b"HTTP/1.1 204 No Content", LENGTH).lines == []


def test_the_kind_of_content_is_told_without_its_parameters() -> None:
    assert read(OK, b"Content-Type: Text/Event-Stream; charset=utf-8").content_type == b"text/event-stream"


@pytest.mark.parametrize(
    "lines",
    [
        [b"nonsense"],
        [b"HTTP/2 200"],
        [b"HTTP/1.1 20 OK"],
        [b"HTTP/1.1 099 OK"],
        [b"HTTP/1.1 200 O\x00K"],
        [b"HTTP/1.1 101 Switching Protocols"],
        [OK, CHUNKED, LENGTH],
        [OK, LENGTH, LENGTH],
        [OK, b"Transfer-Encoding: gzip, chunked"],
        [OK, b"A : b"],
    ],
)
def test_what_cannot_be_read_is_not_passed_on(lines: list[bytes]) -> None:
    with pytest.raises(UnreadableError):
        read(*lines)
