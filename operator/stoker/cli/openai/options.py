"""URL, --model and --key-variable, for the commands that send requests to a model."""

import argparse
import os


def add_to(parser: argparse.ArgumentParser, url_help: str) -> None:
    parser.add_argument("url", metavar="URL", help=url_help)
    parser.add_argument("--model", metavar="NAME", help="its served name (default: the one that the server lists)")
    parser.add_argument("--key-variable", metavar="NAME", help="environment variable that holds the server's API key")


def problems(options: argparse.Namespace) -> list[str]:
    from stoker.cli.openai.server import base_address  # noqa: PLC0415 - start-up must be quick

    found = []
    try:
        base_address(options.url)
    except ValueError as wrong:
        found.append(f"URL {wrong}")
    name = options.key_variable
    if name and not os.environ.get(name):
        found.append(f"--key-variable {name}: there is no such variable, or it is empty: set it")
    return found


def headers(options: argparse.Namespace) -> dict[str, str]:
    return {"Authorization": f"Bearer {os.environ[options.key_variable]}"} if options.key_variable else {}
