"""oci://: an artifact or an image in a registry."""

import platform
import re
from collections.abc import Mapping, Sequence
from typing import Any

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Request
from stoker_runtime.fetch.sources.answers import nonsense, text_field
from stoker_runtime.fetch.sources.layers import Layer, Publication, file_of, publication_of, read_layer
from stoker_runtime.fetch.sources.listing import check_length
from stoker_runtime.fetch.sources.registry_client import Manifest, RegistryClient

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class RegistrySource:
    """One tag or digest. The revision is the digest of the manifest, that of this platform where there are several."""

    def __init__(self, client: RegistryClient, reference: str, machine: str | None = None) -> None:
        self._client, self._reference = client, reference
        found = machine or platform.machine()
        self._architecture = _ARCHITECTURES.get(found, found)
        self._layers: Mapping[str, Layer] = {}

    def resolve(self) -> str:
        manifest = self._client.manifest(self._reference)
        if "manifests" in manifest.content:
            manifest = self._client.manifest(self._of_this_platform(manifest))
        self._remember(manifest)
        return manifest.digest.replace(":", "-")

    def files(self, revision: str) -> Sequence[RemoteFile]:
        """Layers in their order. Those that `publication` calls Unpacked are archives, and lie under other paths."""
        self._remember(self._client.manifest(revision.replace("-", ":", 1)))
        return tuple(file_of(layer) for layer in self._layers.values())

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - a digest is all that is needed
        return self._client.blob(file.key)

    def publication(self, file: RemoteFile) -> Publication:
        return publication_of(self._layers[file.key])

    def _remember(self, manifest: Manifest) -> None:
        what = f"the manifest {manifest.digest} of {self._client.place}"
        layers = manifest.content.get("layers")
        if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
            raise nonsense(what, "no layers")
        check_length(f"oci://{self._client.place}", len(layers))
        read = [read_layer(layer, what) for layer in layers]
        self._layers = {layer.digest: layer for layer in read}

    def _of_this_platform(self, index: Manifest) -> str:
        what = f"the index {index.digest} of {self._client.place}"
        entries = index.content["manifests"]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise nonsense(what, "manifests that are no objects")
        # Builders add attestations, which run nowhere.
        models = [entry for entry in entries if _platform_of(entry) != "unknown/unknown"]
        fitting = [entry for entry in models if _platform_of(entry) == f"linux/{self._architecture}"]
        chosen = fitting[:1] or (models if len(models) == 1 else [])
        if not chosen:
            found = ", ".join(sorted({_platform_of(entry) for entry in models})) or "nothing"
            raise WeightsError(
                Reason.NOT_FOUND,
                f"oci://{self._client.place} has {found} and nothing for linux/{self._architecture}: push it for this"
                " platform, or name the digest of one entry",
            )
        digest = text_field(chosen[0], "digest", what)
        if not _DIGEST.fullmatch(digest):
            raise nonsense(what, f"the digest {digest[:80]!r}")
        return digest


def _platform_of(entry: Mapping[str, Any]) -> str:
    platform_ = entry.get("platform")
    fields = platform_ if isinstance(platform_, dict) else {}
    return f"{fields.get('os', 'any')}/{fields.get('architecture', 'any')}"
