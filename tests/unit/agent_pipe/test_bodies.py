"""Where bodies end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.agent.framing.bodies import BodyReader, ChunkReader, LengthReader, Span, chunk, last_chunk
from stoker_runtime.agent.framing.unreadable import UnreadableError

CHUNKED = b'5\r\nhello\r\n00a;name="v\xe9"\r\n, \r\nworld!\r\n0;last\r\nA: b\r\nHost: evil\r\nC:d\r\n\r\n'


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def read(reader: BodyReader, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """The content, and what is behind the body."""
    content, behind = b"", b""
    for piece in pieces:
        spans: list[Span] = []
        end = reader.read(piece, 0, spans)
        content += b"".join(piece[start:stop] for start, stop in spans)
        assert end == len(piece) or reader.ended
        behind += piece[end:]
    return content, behind


@given(st.lists(st.integers(0, 200), max_size=30))
def test_chunks_are_read_however_they_are_cut(places: list[int]) -> None:
    reader = ChunkReader()
    assert read(reader, cut(CHUNKED + b"GET /", places)) == (b"hello, \r\nworld!", b"GET /")
    assert reader.ended
    assert reader.trailers == [b"A: b", b"C:d"]


@given(st.lists(st.integers(0, 200), max_size=30))
def test_a_length_is_read_however_it_is_cut(places: list[int]) -> None:
    reader = LengthReader(5)
    assert read(reader, cut(b"helloGET /", places)) == (b"hello", b"GET /")
    assert reader.ended


@given(st.lists(st.binary(min_size=1), max_size=5), st.lists(st.integers(0, 500), max_size=9))
def test_what_is_put_into_chunks_comes_out_of_them(contents: list[bytes], places: list[int]) -> None:
    reader = ChunkReader()
    data = b"".join(map(chunk, contents)) + last_chunk([b"A: b"])
    assert read(reader, cut(data, places)) == (b"".join(contents), b"")
    assert reader.trailers == [b"A: b"]


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1\n",
        b"1\r\r\n",
        b"1;a\nb\r\n",
        b"1;a\rb\r\n",
        b"1;\x00\r\n",
        b"1 a\r\n",
        b"1234567890abcdef\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n",
        b"1\r\na\rb",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nA : b\r\n\r\n",
        b"0\r\nA: b\n\r\n\r\n",
        b"0\r\n folded\r\n\r\n",
        b"1" * 2000,
        b"1;" + b"a" * 2000 + b"\r\n",
        b"0\r\nA: " + b"a" * 9000,
        b"0\r\n" + b"A: b\r\n" * 40 + b"\r\n",
    ],
)
@given(places=st.lists(st.integers(0, 10_000), max_size=4))
def test_chunks_that_are_none_are_refused_however_they_are_cut(data: bytes, places: list[int]) -> None:
    reader = ChunkReader()
    with pytest.raises(UnreadableError):
        read(reader, cut(data, places))
