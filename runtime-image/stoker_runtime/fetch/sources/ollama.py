"""ollama://: a model of an Ollama registry, whose layers are named by what they are for."""

from collections.abc import Sequence

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Request
from stoker_runtime.fetch.sources.answers import nonsense
from stoker_runtime.fetch.sources.digests import sha256_of
from stoker_runtime.fetch.sources.layers import Layer, read_layer
from stoker_runtime.fetch.sources.listing import check_unchanged
from stoker_runtime.fetch.sources.registry_client import Manifest, RegistryClient

PUBLIC = "registry.ollama.ai"
_PREFIX = "application/vnd.ollama.image."
_SMALL = {
    "template": "template",
    "params": "params.json",
    "license": "LICENSE",
    "system": "system",
    "messages": "messages.json",
}


class OllamaSource:
    """One tag. These registries know manifests by tag alone: so the digest is compared before bytes are fetched."""

    def __init__(self, client: RegistryClient, name: str, tag: str) -> None:
        self._client, self._tag = client, tag
        self._name = name.rpartition("/")[2]
        self._found: Manifest | None = None

    def resolve(self) -> str:
        self._found = self._client.manifest(self._tag)
        return self._found.digest.replace(":", "-")

    def files(self, revision: str) -> Sequence[RemoteFile]:
        manifest = self._found or self._client.manifest(self._tag)
        check_unchanged(f"ollama://{self._client.place}:{self._tag}", revision, manifest.digest.replace(":", "-"))
        what = f"the manifest {self._tag} of {self._client.place}"
        entries = manifest.content.get("layers")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise nonsense(what, "no layers")
        return self._named([read_layer(entry, what) for entry in entries])

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - a digest is all that is needed
        return self._client.blob(file.key)

    def _named(self, layers: Sequence[Layer]) -> Sequence[RemoteFile]:
        files: list[RemoteFile] = []
        names: set[str] = set()
        for layer in layers:
            kind = layer.media_type.removeprefix(_PREFIX)
            name = _unused(self._path_of(kind, layer), names)
            names.add(name)
            files.append(RemoteFile(name, layer.size_bytes, sha256=sha256_of(layer.digest), key=layer.digest))
        if not any(file.path == f"{self._name}.gguf" for file in files):
            raise WeightsError(
                Reason.NO_WEIGHTS,
                f"{self._client.place}:{self._tag} has no model layer: choose a tag that runs locally",
            )
        return tuple(files)

    def _path_of(self, kind: str, layer: Layer) -> str:
        if kind == "model":
            return f"{self._name}.gguf"
        if kind == "projector":
            return f"mmproj-{self._name}.gguf"
        if kind == "adapter":
            return f"adapter-{self._name}.gguf"
        return _SMALL.get(kind) or f"layer-{layer.digest.removeprefix('sha256:')[:12]}.unknown"


def _unused(name: str, taken: set[str]) -> str:
    """Models with two licences have two layers of that kind."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        stem, dot, ending = name.partition(".")
        candidate = f"{stem}-{number}{dot}{ending}"
    return candidate
