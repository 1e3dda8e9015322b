"""Whether a token is the one whose digest the agent was given."""

import hashlib
import hmac

_SCHEME = "bearer "


def is_token(given: str | None, sha256: str | None) -> bool:
    """Without a digest no token is right."""
    digest = hashlib.sha256((given or "").encode(errors="replace")).hexdigest()
    # Compared in any case, so that time tells nothing.
    same = hmac.compare_digest(digest, sha256 or "")
    return same and given is not None and sha256 is not None


def bearer(authorization: str | None) -> str | None:
    if authorization is None or not authorization.lower().startswith(_SCHEME):
        return None
    return authorization[len(_SCHEME) :].strip()
