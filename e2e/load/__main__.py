"""`python -m e2e.load URL`: streaming requests, bounded in time and count, as an open loop or, with `--users`, as a
closed one. Ends early on SIGTERM, when every request that was sent has its answer."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp

from e2e.load.arrivals import Arrival, from_file, steady
from e2e.load.clients import LONGEST_SECONDS, ask, chat, connector
from e2e.load.outcome import Answered, Outcome, summary

MOST_REQUESTS = 100_000


def _sessions(connections: str) -> list[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    return [
        aiohttp.ClientSession(connector=connector(pooled=pooled), timeout=timeout)
        for pooled in {"pooled": (True,), "fresh": (False,), "both": (True, False)}[connections]
    ]


async def closed(url: str, options: argparse.Namespace) -> list[Answered]:
    """Each user asks again as soon as there is an answer."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    began, answers = loop.time(), list[Answered]()
    sessions = _sessions(options.connections)
    body = chat(options.model, options.prompt_tokens, options.output_tokens)

    async def user(number: int) -> None:
        while not stopping.is_set() and loop.time() - began < options.seconds and len(answers) < MOST_REQUESTS:
            session = sessions[number % len(sessions)]
            answers.append(await ask(session, url, body, loop.time() - began, options.longest))

    try:
        await asyncio.gather(*(user(number) for number in range(options.users)))
        return answers
    finally:
        for session in sessions:
            await session.close()


async def drive(url: str, model: str, arrivals: list[Arrival], options: argparse.Namespace) -> list[Answered]:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    began = loop.time()
    tasks: list[asyncio.Task[Answered]] = []
    sessions = _sessions(options.connections)
    try:
        for number, arrival in enumerate(arrivals):
            wait_seconds = max(0.0, arrival.at_seconds - (loop.time() - began))
            try:
                await asyncio.wait_for(stopping.wait(), wait_seconds)
                break
            except TimeoutError:
                body = chat(model, arrival.prompt_tokens, arrival.output_tokens, openai_alone=options.openai_alone)
                session = sessions[number % len(sessions)]
                tasks.append(asyncio.create_task(ask(session, url, body, loop.time() - began, options.longest)))
        return list(await asyncio.gather(*tasks))
    finally:
        for session in sessions:
            await session.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.load", description=__doc__)
    parser.add_argument("url", help="base address, such as http://web.default.svc/v1")
    parser.add_argument("--model", default="web")
    parser.add_argument("--rate", type=float, default=10.0, help="requests a second")
    parser.add_argument("--users", type=int, default=0, help="a closed loop of so many users instead")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--prompt-tokens", type=int, default=64)
    parser.add_argument("--output-tokens", type=int, default=64)
    parser.add_argument("--openai-alone", action="store_true", help="no words but its own, and no [DONE] needed")
    parser.add_argument("--trace", type=Path, help="a file of arrivals instead")
    parser.add_argument("--connections", choices=("pooled", "fresh", "both"), default="both")
    parser.add_argument("--longest", type=float, default=LONGEST_SECONDS, help="seconds after which a request is late")
    parser.add_argument("--objective", type=float, default=2.0, help="seconds to the first token")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    url = f"{options.url}/chat/completions"
    if options.users:
        return _told(asyncio.run(closed(url, options)), options.objective)
    drawn = (
        from_file(options.trace)
        if options.trace
        else steady(options.rate, options.seconds, options.prompt_tokens, options.output_tokens, options.seed)
    )
    arrivals = sorted(drawn)[:MOST_REQUESTS]
    return _told(asyncio.run(drive(url, options.model, arrivals, options)), options.objective)


def _told(answers: list[Answered], objective_seconds: float) -> int:
    print(json.dumps(summary(answers, objective_seconds)), flush=True)
    return 0 if all(answer.outcome is Outcome.FINISHED for answer in answers) else 1


if __name__ == "__main__":
    sys.exit(main())
