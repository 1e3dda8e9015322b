"""Who asks Azure Blob Storage: a shared access signature, an account key, an identity, or everybody."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from stoker_runtime.failure import Reason, WeightsError

VERSION = "2021-12-02"
_SCOPE = "https://storage.azure.com/.default"
_HOURS = 12
_OF_A_DESK = (
    "broker_credential",
    "cli_credential",
    "developer_cli_credential",
    "powershell_credential",
    "shared_token_cache_credential",
    "visual_studio_code_credential",
)
_SIGNS_OF_AN_IDENTITY = ("AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT")


@dataclass(frozen=True)
class Proof:
    """What goes with one request. Empty texts: nothing."""

    query: str = ""
    bearer: str = ""


Access = Callable[[], Proof]


def access_of(account: str, container: str, environment: Mapping[str, str]) -> Access:
    """The narrowest of what the environment gives comes first."""
    token = environment.get("AZURE_STORAGE_SAS_TOKEN", "").strip().lstrip("?")
    if token:
        return lambda: Proof(query=token)
    key = environment.get("AZURE_STORAGE_KEY", "").strip()
    if key:
        return lambda: Proof(query=signature(account, container, key, datetime.now(UTC)))
    # An emulator knows no identities.
    return Proof if environment.get("AZURE_STORAGE_ENDPOINT") else _Identity(environment).proof


def signature(account: str, container: str, key: str, now: datetime) -> str:
    """A signature to list and read one container: unlike a signed header it holds for any range of a blob."""
    try:
        secret = b64decode(key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WeightsError(
            Reason.UNAUTHORIZED, "AZURE_STORAGE_KEY is not base64: copy the key of the storage account as it is"
        ) from error
    start, end = ((now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (-0.25, _HOURS))
    lines = ["rl", start, end, f"/blob/{account}/{container}", "", "", "https,http", VERSION, "c", *[""] * 7]
    digest = hmac.digest(secret, "\n".join(lines).encode(), "sha256")
    fields = {"sp": "rl", "st": start, "se": end, "spr": "https,http", "sv": VERSION, "sr": "c"}
    return urlencode(fields | {"sig": b64encode(digest).decode()})


class _Identity:
    """Workload identity or a managed identity, as the vendor's library finds them; anonymous where there is none."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._found: tuple[Any] | None = None

    def proof(self) -> Proof:
        identity, errors = import_module("azure.identity"), import_module("azure.core.exceptions")
        try:
            if self._found is None:
                # A pod has no developer who signed in.
                self._found = (identity.DefaultAzureCredential(**{f"exclude_{name}": True for name in _OF_A_DESK}),)
            # The library keeps a token until it is about to run out.
            return Proof(bearer=f"Bearer {self._found[0].get_token(_SCOPE).token}") if self._found[0] else Proof()
        except errors.ClientAuthenticationError as error:
            if not any(self._environment.get(name) for name in _SIGNS_OF_AN_IDENTITY):
                self._found = (None,)
                return Proof()
            why = str(error.message).splitlines()[:1]
            raise WeightsError(
                Reason.UNAUTHORIZED,
                f"the identity for az:// was refused ({''.join(why)}): mend the Secret or the ServiceAccount",
            ) from error
