"""`python -m e2e.up.chat URL MODEL PROMPT`: one chat completion, printed while it streams."""

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

_TOKENS = 96
_SILENCE_SECONDS = 120
# Routing follows readiness within a second or so.
_ROUTED_SECONDS = 20


class NoAnswer(Exception):  # noqa: N818 - it is what the server did, and no defect here
    """Why there is none, in one line."""


def pieces(url: str, model: str, prompt: str) -> Iterator[str]:
    """The words as they come. A stream that ends without its end mark was cut."""
    body = {
        "model": model,
        "stream": True,
        "max_tokens": _TOKENS,
        "messages": [{"role": "user", "content": prompt}],
    }
    for line in _answer(f"{url}/chat/completions", json.dumps(body).encode()):
        event = line.removeprefix("data: ").strip()
        if event == "[DONE]":
            return
        if line.startswith("data: "):
            yield from _words(event)
    raise NoAnswer("the stream ended in the middle")


def _words(event: str) -> Iterator[str]:
    try:
        said = json.loads(event)
        if "error" in said:
            raise NoAnswer(f"the server breaks off: {said['error']}")
        yield from [text for choice in said["choices"] if (text := choice["delta"].get("content"))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoAnswer(f"this is no event of a chat: {event[:200]}") from error


def _answer(url: str, body: bytes) -> Iterator[str]:
    deadline = time.monotonic() + _ROUTED_SECONDS
    while True:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - from our caller
        try:
            with urllib.request.urlopen(request, timeout=_SILENCE_SECONDS) as answer:  # noqa: S310
                yield from (line.decode("utf-8", "replace") for line in answer)
                return
        except urllib.error.HTTPError as refused:
            if refused.code != 503 or time.monotonic() > deadline:
                words = refused.read(300).decode("utf-8", "replace")
                raise NoAnswer(f"the server answers {refused.code}: {words}") from refused
        except urllib.error.URLError as failed:
            if time.monotonic() > deadline:
                raise NoAnswer(f"no connection to {url}: {failed.reason}") from failed
        except (OSError, http.client.HTTPException) as failed:
            raise NoAnswer(f"the connection broke: {type(failed).__name__}: {failed}") from failed
        time.sleep(0.5)


def main(url: str, model: str, prompt: str) -> int:
    print(f"           you: {prompt}\n           {model}: ", end="", flush=True)
    began = time.monotonic()
    times = []
    try:
        for text in pieces(url, model, prompt):
            times.append(time.monotonic() - began)
            print(text, end="", flush=True)
    except NoAnswer as why:
        print(f"\n           {why}", flush=True)
        return 1
    if not times:
        print("\n           the answer is empty", flush=True)
        return 1
    print(
        f"\n           {len(times)} pieces streamed in {times[-1]:.2f} s, the first after {times[0]:.2f} s", flush=True
    )
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(*sys.argv[1:4]))
    except KeyboardInterrupt:  # whoever started this says so
        raise SystemExit(130) from None
