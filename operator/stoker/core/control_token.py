"""The tokens by which agents know the operator: derived from one key, so that none is stored and none read back.

    token(purpose, model) = HMAC-SHA256(key, purpose NUL namespace NUL name)

A pod's template holds only the SHA-256 of its token, so who may read pods may not command them. The one exception is
the token by which the node says farewell: the kubelet has to send it. So where there is no key it is derived from the
model's uid, which the API server draws by lot and which is read where pods are read, and nowhere else.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum

SHORTEST_KEY_BYTES = 32


class Purpose(StrEnum):
    """What a token is good for."""

    CONTROL = "control"  # drain, open, sleep, wake: the operator's
    FAREWELL = "farewell"  # drain before the end: the node's, and so it stands in the pod's template


@dataclass(frozen=True)
class ControlKey:
    """The operator's key, or what stands in for it where there is none."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.secret:
            raise ValueError("an empty key makes tokens that anybody can compute: leave the key out instead")

    def token(self, purpose: Purpose, namespace: str, model: str) -> str:
        message = f"{purpose}\0{namespace}\0{model}".encode()
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()


def digest(token: str) -> str:
    """What the agent compares with."""
    return hashlib.sha256(token.encode()).hexdigest()
