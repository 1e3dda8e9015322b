"""What a layer of an artifact or an image is, and how it is published."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.sources import zstd
from stoker_runtime.fetch.sources.answers import nonsense, size_field, text_field
from stoker_runtime.fetch.sources.digests import sha256_of

_TITLE = "org.opencontainers.image.title"
_MODEL_PACK = "application/vnd.cncf.model."
_MODEL_PACK_PATHS = ("org.cncf.model.filepath", "org.cnai.model.filepath")
_UNPACK = "io.deis.oras.content.unpack"
_IMAGE_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
_BY_TYPE = {
    "application/vnd.docker.ai.gguf.v3": "model.gguf",
    "application/vnd.docker.ai.license": "LICENSE",
    "application/vnd.docker.ai.mmproj": "mmproj-model.gguf",
}


@dataclass(frozen=True)
class Layer:
    """One descriptor of a manifest."""

    media_type: str
    digest: str
    size_bytes: int
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class AsFile:
    """The bytes are the file."""

    path: str


@dataclass(frozen=True)
class Unpacked:
    """The bytes are a tar, perhaps compressed. Only what lies below `prefix` counts, and it is taken off the paths."""

    prefix: str


Publication = AsFile | Unpacked


def read_layer(value: Mapping[str, Any], what: str) -> Layer:
    digest = text_field(value, "digest", what)
    size = size_field(value, "size", what)
    if not digest.startswith("sha256:") or sha256_of(digest) is None or size is None:
        raise nonsense(what, f"a layer with the digest {digest[:80]!r} and the size {size}")
    annotations = value.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise nonsense(what, "annotations that are no object")
    texts = {str(name): str(text) for name, text in annotations.items()}
    return Layer(text_field(value, "mediaType", what), digest, size, texts)


def publication_of(layer: Layer) -> Publication:
    """Clients that push files give their layers the type of an image's: a title tells them apart."""
    how = _publication(layer)
    if layer.media_type.endswith(("zstd", "zst")) and (isinstance(how, AsFile) or not zstd.is_readable()):
        raise WeightsError(
            Reason.UNSAFE_FORMAT,
            f"the layer {layer.digest} is compressed with zstd, which is not read "
            f"{'here, but for a tar' if isinstance(how, AsFile) else 'in this image'}: push it plain",
        )
    return how


def _publication(layer: Layer) -> Publication:
    kind = layer.media_type
    title = layer.annotations.get(_TITLE)
    if kind.startswith(_MODEL_PACK):
        if ".tar" in kind:
            return Unpacked("")
        path = next((layer.annotations[name] for name in _MODEL_PACK_PATHS if name in layer.annotations), title)
        return AsFile(path or _unnamed(layer))
    if title and layer.annotations.get(_UNPACK) == "true":
        return Unpacked("")
    if title:
        return AsFile(title)
    if kind.startswith(_IMAGE_LAYERS):
        return Unpacked("models/")
    return AsFile(_BY_TYPE.get(kind) or _unnamed(layer))


def file_of(layer: Layer) -> RemoteFile:
    """An archive has a name of its own until it is unpacked."""
    how = publication_of(layer)
    path = how.path if isinstance(how, AsFile) else f"layer-{layer.digest.removeprefix('sha256:')}.tar"
    return RemoteFile(path, layer.size_bytes, sha256=sha256_of(layer.digest), key=layer.digest)


def _unnamed(layer: Layer) -> str:
    return f"layer-{layer.digest.removeprefix('sha256:')[:12]}.unknown"
