"""Reads the key of the agents' tokens."""

from pathlib import Path

from stoker.cli.input_error import InputError
from stoker.core.control_token import SHORTEST_KEY_BYTES, ControlKey


def control_key(key_file: str | None) -> ControlKey | None:
    """None where none is configured: then agents take no orders."""
    if key_file is None:
        return None
    try:
        secret = Path(key_file).read_bytes().strip()
    except OSError as failed:
        raise InputError([f"agent.keyFile {key_file}: {failed.strerror}"]) from failed
    if len(secret) < SHORTEST_KEY_BYTES:
        remedy = f"write at least {SHORTEST_KEY_BYTES} random ones, for instance with `openssl rand -hex 32`"
        raise InputError([f"agent.keyFile {key_file} has {len(secret)} bytes: {remedy}"])
    return ControlKey(secret)
