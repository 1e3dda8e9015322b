"""Digests as sources write them, as the hexadecimal digits that they are compared in."""

import binascii
import re
from base64 import b64decode


def hexadecimal_of(base64_text: str, length_bytes: int) -> str | None:
    """None for what is no digest of that length, such as the digest of parts that some buckets give (`...-3`)."""
    try:
        raw = b64decode(base64_text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == length_bytes else None


def plain_md5(etag: str) -> str | None:
    """The md5 in the ETag of an object that was uploaded in one piece."""
    text = etag.strip('"')
    return text if re.fullmatch(r"[0-9a-f]{32}", text) else None


def sha256_of(text: str) -> str | None:
    """The digits of `sha256:...`, or of the digits alone."""
    digits = text.removeprefix("sha256:").lower()
    return digits if re.fullmatch(r"[0-9a-f]{64}", digits) else None
