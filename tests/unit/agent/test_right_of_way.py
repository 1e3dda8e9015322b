"""Answers of the control port go before the pipe's pieces, which wait for no more than the one that is made."""

import socket
from threading import Event, Thread

import pytest

from stoker_runtime.agent import interpreter
from stoker_runtime.agent.control.connection import refusal
from stoker_runtime.agent.control.requests import Answer, Request
from stoker_runtime.agent.control.server import ControlServer, bound
from stoker_runtime.agent.interpreter import RIGHT_OF_WAY, RightOfWay

LONG_SECONDS = 5.0  # in which all of this has happened
MOMENT_SECONDS = 0.05


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_ANSWER_SECONDS", LONG_SECONDS)


@pytest.mark.usefixtures("patience")
def test_who_gives_way_goes_on_when_the_answer_is_made() -> None:
    way = RightOfWay()
    piece = Thread(target=way.give)
    with way:
        piece.start()
        piece.join(MOMENT_SECONDS)
        assert piece.is_alive()
    piece.join(LONG_SECONDS)
    assert not piece.is_alive()


def test_a_stream_goes_on_beside_an_answer_whose_thread_stands_still() -> None:
    way, within, told = RightOfWay(), Event(), Event()

    def stands_still() -> None:
        with way:
            within.set()
            told.wait(LONG_SECONDS)

    answer = Thread(target=stands_still)
    answer.start()
    within.wait(LONG_SECONDS)
    way.give()
    assert answer.is_alive()
    told.set()
    answer.join(LONG_SECONDS)


@pytest.mark.usefixtures("patience")
def test_the_pipe_waits_while_the_control_port_answers() -> None:
    order: list[str] = []

    def passes() -> None:
        RIGHT_OF_WAY.give()
        order.append("piece")

    piece = Thread(target=passes)

    def answer(_: Request) -> Answer:
        piece.start()
        piece.join(MOMENT_SECONDS)
        order.append("answer")
        return refusal(404, "Nothing is here.")

    listening = bound(0)
    server = ControlServer(listening, answer)
    server.start()
    try:
        with socket.create_connection(listening.getsockname()[:2], timeout=LONG_SECONDS) as connection:
            connection.sendall(b"GET /load HTTP/1.1\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 404")
        piece.join(LONG_SECONDS)
    finally:
        server.stop()
    assert order == ["answer", "piece"]
