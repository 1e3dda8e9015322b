"""Bytes of a connection, taken for answers."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.signals.polling.answer import Answer, AnswerParser
from stoker.signals.unreadable import UnreadableError
from tests.unit.signals.answers import http

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def fed(*pieces: bytes, most: int = 1000) -> Answer | None:
    parser = AnswerParser(most)
    answer = None
    for piece in pieces:
        assert answer is None, "it went on after the end"
        answer = parser.feed(piece)
    return answer


def test_an_answer_in_one_piece_is_read() -> None:
    assert fed(http(b"hello")) == Answer(200, b"hello", keep_alive=True)


@given(
    st.lists(st.integers(1, 60), max_size=6),
    st.sampled_from([http(b"hel\r\n\r\nlo"), CHUNKED + b"3\r\nhel\r\n6;x=1\r\n\r\n\r\nlo\r\n0\r\n\r\n"]),
)
def test_it_does_not_matter_how_an_answer_is_torn(cuts: list[int], text: bytes) -> None:
    parser = AnswerParser(1000)
    found = []
    places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    for begin, end in itertools.pairwise(places):
        found.append(parser.feed(text[begin:end]))
    assert found[-1] == Answer(200, b"hel\r\n\r\nlo", keep_alive=True)
    assert found[:-1] == [None] * (len(found) - 1)


def test_an_answer_that_ends_with_its_connection_is_read_then() -> None:
    parser = AnswerParser(1000)
    assert parser.feed(b"HTTP/1.0 200 OK\r\n\r\nall ") is None
    assert parser.feed(b"of it") is None
    assert parser.ended() == Answer(200, b"all of it", keep_alive=False)


def test_an_answer_of_a_known_length_must_be_whole_when_its_connection_ends() -> None:
    parser = AnswerParser(1000)
    parser.feed(http(b"hello")[:-1])
    assert parser.ended() is None


def test_what_comes_before_the_final_answer_is_passed_over() -> None:
    assert fed(b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"x")) == Answer(200, b"x", keep_alive=True)


@pytest.mark.parametrize("head", ["connection: close\r\n", "Connection: Close\r\n"])
def test_a_connection_is_not_kept_where_the_answer_says_so(head: str) -> None:
    answer = fed(http(b"x", headers=head))
    assert answer is not None
    assert not answer.keep_alive


def test_an_answer_without_a_body_needs_no_length() -> None:
    assert fed(b"HTTP/1.1 204 No Content\r\n\r\n") == Answer(204, b"", keep_alive=True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/2 200\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "length"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "length"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "encoding"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "encoding"),
        (b"HTTP/1.1 200 OK\r\n folded\r\n\r\n", "NAME: VALUE"),
        (b"x" * 9000, "head has more than"),
        (http(b"x" * 1001), "more than 1000 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001, "more than 1000 bytes"),
        (CHUNKED + b"3E9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", "more than 1000 bytes"),
        (CHUNKED + b"2\r\nabc\r\n0\r\n\r\n", "chunks are torn"),
        (CHUNKED + b"no\r\n\r\n", "chunks are torn"),
        (CHUNKED + b"1\r\nx\r\n" * 2000, "more than 1000 bytes"),
    ],
)
def test_what_is_no_answer_is_refused_before_it_takes_memory(text: bytes, complaint: str) -> None:
    with pytest.raises(UnreadableError, match=complaint):
        fed(text)


def test_bytes_after_the_answer_are_noticed() -> None:
    parser = AnswerParser(1000)
    assert parser.feed(http(b"x") + b"more") is not None
    assert parser.surplus


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_an_answer_or_none_or_refused(pieces: list[bytes]) -> None:
    parser = AnswerParser(50)
    try:
        for piece in pieces:
            parser.feed(piece)
        parser.ended()
    except UnreadableError:
        pass
