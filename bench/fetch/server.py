"""`python -m bench.fetch.server FOLDER`: sends files of a folder by sendfile, ranges too, and prints its port."""

import os
import re
import socket
import sys
import threading
from pathlib import Path

_AT_ONCE_BYTES = 1 << 20


def main(folder: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listening.getsockname()[1], flush=True)
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_serve, args=(connection, folder), daemon=True).start()


def _serve(connection: socket.socket, folder: Path) -> None:
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
            while b"\r\n\r\n" in received:
                head, received = received.split(b"\r\n\r\n", 1)
                _answer(connection, folder, head.decode())
    except OSError:
        return  # the client went away
    finally:
        connection.close()


def _answer(connection: socket.socket, folder: Path, head: str) -> None:
    method, path, _ = head.split(" ", 2)
    handle = os.open(folder / Path(path).name, os.O_RDONLY)
    try:
        size_bytes = os.fstat(handle).st_size
        asked = re.search(r"(?im)^range: bytes=(\d+)-(\d*)", head)
        first = int(asked[1]) if asked else 0
        end = min(size_bytes, int(asked[2]) + 1) if asked and asked[2] else size_bytes
        lines = ["HTTP/1.1 206 Partial Content" if asked else "HTTP/1.1 200 OK", f"Content-Length: {end - first}"]
        if asked:
            lines.append(f"Content-Range: bytes {first}-{end - 1}/{size_bytes}")
        connection.sendall("\r\n".join([*lines, "Accept-Ranges: bytes", "", ""]).encode())
        while first < end and method != "HEAD":
            first += os.sendfile(connection.fileno(), handle, first, min(_AT_ONCE_BYTES, end - first))
    finally:
        os.close(handle)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
