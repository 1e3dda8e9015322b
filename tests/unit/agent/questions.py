"""Asks a control port from a process of its own: HOST PORT QUESTIONS → seconds of each answer, as JSON."""

import json
import socket
import sys
import time


def main(host: str, port: int, questions: int) -> list[float]:
    """On one connection, as the operator keeps it."""
    seconds = []
    with socket.create_connection((host, port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(questions):
            path = b"/load" if number % 2 else b"/readyz"
            began = time.perf_counter()
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            answer = connection.recv(4096)
            seconds.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ValueError(answer)
            time.sleep(0.005)
    return seconds


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
