"""A server by its address, what it serves, and the prompts that it gets."""

import asyncio
import json
import random
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from stoker.cli.input_error import InputError

_WORDS = ("river", "stone", "window", "garden", "paper", "morning", "engine", "copper", "letter", "summer")


def base_address(text: str) -> str:
    """With the /v1 that people leave out; ValueError says what is wrong."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{text}: is no address: write one such as http://llama-8b.models.svc/v1")
    if parts.username or parts.password:
        raise ValueError(
            f"{parts.hostname}: the address holds credentials: name a variable with --key-variable instead"
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((parts.scheme, parts.netloc, path or "/v1", "", ""))


def session_with(headers: Mapping[str, str]) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60.0)
    return aiohttp.ClientSession(
        connector=connector, headers=headers, timeout=aiohttp.ClientTimeout(total=None, sock_connect=10)
    )


async def model_served(session: aiohttp.ClientSession, base: str) -> str:
    """The one model of the server; InputError where it has none, several, or does not say."""
    address = f"{base}/models"
    try:
        async with asyncio.timeout(30), session.get(address, allow_redirects=False) as response:
            if response.status != 200:
                raise InputError([f"{address} answers {response.status}: name the model with --model"])
            listed = json.loads(await response.content.read(1_000_000))
            found = [str(one["id"]) for one in listed["data"]]
    except TimeoutError as late:
        raise InputError([f"{address} does not answer within 30 s: correct the address"]) from late
    except (aiohttp.ClientError, OSError) as failed:
        raise InputError([f"{address} does not answer: {failed}: correct the address"]) from failed
    except (ValueError, KeyError, TypeError) as broken:
        raise InputError([f"{address} lists no models: name the model with --model"]) from broken
    if len(found) != 1:
        raise InputError([f"{address} lists {', '.join(found) or 'no model'}: name one with --model"])
    return found[0]


def prompt_of(chance: random.Random, words: int) -> str:
    """Each word is about one token. No two begin alike, or a prefix cache would answer for the engine."""
    return " ".join((f"{chance.getrandbits(32):08x}", *chance.choices(_WORDS, k=words - 1)))
