"""What is said of a stream that was read to its end."""

from e2e.operator.one_stream import Piece, Streamed, streamed


def read(*pieces: tuple[float, int]) -> Streamed:
    return streamed(4, 4, "length", [Piece(came, tokens) for came, tokens in pieces])


def test_the_tokens_are_counted_in_the_pieces_and_not_taken_from_what_the_engine_says() -> None:
    assert read((0.0, 1), (0.1, 1), (0.2, 1)).tokens == 3


def test_the_longest_silence_is_told_with_the_moment_at_which_it_began() -> None:
    found = read((5.0, 1), (5.5, 1), (8.0, 1), (8.5, 1))
    assert (found.longest_silence_seconds, found.longest_silence_at_seconds) == (2.5, 0.5)


def test_a_token_takes_what_the_stream_took_also_where_pieces_come_at_once() -> None:
    assert read((0.0, 1), (2.0, 2), (2.0, 1), (2.0, 1)).seconds_per_token == 0.5
