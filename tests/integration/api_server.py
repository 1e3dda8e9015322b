"""A plain HTTP client of the API server under test: what it answers, and what it warns of."""

import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAMESPACED = "/apis/stoker.dev/v1alpha1/namespaces/default/modeldeployments"
STRICT_DRY_RUN = "?dryRun=All&fieldValidation=Strict"


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    body: dict[str, Any]
    warnings: tuple[str, ...]

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


# An API server closes a connection that was idle for 90 s, and slower tests lie between two questions.
IDLE_SECONDS = 30.0


class ApiServer:
    """A connection that is kept open while it is used, since a test asks hundreds of times."""

    def __init__(self, url: str, context: ssl.SSLContext, kubeconfig: Path, kubectl: Path) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=context, timeout=30
        )
        self._last_used = time.monotonic()
        self.kubeconfig, self._kubectl = kubeconfig, kubectl

    def close(self) -> None:
        self._connection.close()

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, content_type: str = "application/json"
    ) -> Answer:
        text = None if body is None else json.dumps(body)
        if time.monotonic() - self._last_used > IDLE_SECONDS:
            self._connection.close()
        try:
            self._connection.request(method, path, text, {"Content-Type": content_type})
            response = self._connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException):
            # One lost connection is one failed test: the next question opens another.
            self._connection.close()
            raise
        self._last_used = time.monotonic()
        try:
            answer = json.loads(raw)
        except json.JSONDecodeError:
            answer = {"message": raw.decode(errors="replace")}
        return Answer(response.status, answer, tuple(response.headers.get_all("Warning") or ()))

    def create(self, manifest: Mapping[str, Any], options: str = STRICT_DRY_RUN) -> Answer:
        return self.ask("POST", NAMESPACED + options, manifest)

    def update(self, manifest: Mapping[str, Any], options: str = "?fieldValidation=Strict") -> Answer:
        return self.ask("PUT", f"{NAMESPACED}/{manifest['metadata']['name']}{options}", manifest)

    def patch(self, name: str, patch: Mapping[str, Any], subresource: str = "") -> Answer:
        return self.ask("PATCH", f"{NAMESPACED}/{name}{subresource}", patch, "application/merge-patch+json")

    def get(self, name: str, subresource: str = "") -> Answer:
        return self.ask("GET", f"{NAMESPACED}/{name}{subresource}")

    def delete(self, name: str) -> Answer:
        return self.ask("DELETE", f"{NAMESPACED}/{name}")

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._kubectl), "--kubeconfig", str(self.kubeconfig), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
