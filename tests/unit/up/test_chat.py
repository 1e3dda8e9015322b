"""A chat completion that streams, as a newcomer sees it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from e2e.up.chat import main
from tests.beside import answering

Serve = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            serve(self)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running, answering(running):
        yield f"http://127.0.0.1:{running.server_port}/v1"


def events(*texts: str, done: bool = True) -> bytes:
    said = [{"choices": [{"delta": {"role": "assistant"}}]}]
    said += [{"choices": [{"delta": {"content": text}}]} for text in texts]
    lines = [f"data: {json.dumps(event)}\n\n" for event in said] + (["data: [DONE]\n\n"] if done else [])
    return "".join(lines).encode()


def answers(body: bytes, status: int = 200) -> Serve:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(body)

    return serve


def test_the_pieces_are_printed_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with server(answers(events("Hel", "lo", "."))) as url:
        assert main(url, "tiny", "Say hello.") == 0
    said = capsys.readouterr().out
    assert "tiny: Hello.\n" in said
    assert "3 pieces streamed" in said


def test_a_replica_that_is_not_routed_yet_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    turns = [answers(b"no replica", 503), answers(events("Hello"))]

    def serve(handler: BaseHTTPRequestHandler) -> None:
        turns.pop(0)(handler)

    with server(serve) as url:
        assert main(url, "tiny", "Say hello.") == 0
    assert "tiny: Hello\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("serve", "words"),
    [
        (answers(events("Hel", done=False)), "ended in the middle"),
        (answers(events()), "the answer is empty"),
        (answers(b'{"error": "no such model"}', 404), "the server answers 404: {"),
        (answers(b'data: {"error": "out of memory"}\n\n'), "breaks off: out of memory"),
        (answers(b"data: <html>\n\n"), "no event of a chat"),
    ],
    ids=["cut", "empty", "refused", "broken off", "a proxy's page"],
)
def test_what_is_no_answer_is_told_in_a_line(serve: Serve, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with server(serve) as url:
        assert main(url, "tiny", "Say hello.") == 1
    assert words in capsys.readouterr().out.splitlines()[-1]
