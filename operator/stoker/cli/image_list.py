"""The images that a fleet may pull, and what for. Pure: configuration and manifests in, a list out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stoker.api.configuration import Configuration
from stoker.api.v1alpha1.engine import EngineName
from stoker.core.engine import EngineProfile
from stoker.core.plan.agent import IN_THE_RUNTIME_IMAGE
from stoker.core.plan.engine_image import engine_image

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """One image."""

    image: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class ImageList:
    wanted: tuple[Wanted, ...]
    without: tuple[str, ...]
    """Engines that no image is known for."""


def images(
    configuration: Configuration,
    profiles: Mapping[str, EngineProfile],
    engines: Sequence[str],
    manifests: Sequence[Json],
) -> ImageList:
    """Those of the configuration and of these engines, by the planner's own order, and those of the manifests."""
    uses: dict[str, list[str]] = {}
    without = []
    if configuration.runtime.image:
        own = ", ".join(name for name in engines if name in IN_THE_RUNTIME_IMAGE)
        uses.setdefault(str(configuration.runtime.image), []).append(
            f"fetching weights, agents{f', {own}' if own else ''}"
        )
    for name in engines:
        found = _of_engine(configuration, profiles, name)
        if found is None:
            without.append(name)
        elif found != str(configuration.runtime.image):
            uses.setdefault(found, []).append(f"engine {name}")
    for manifest in manifests:
        for image, use in _in_manifest(manifest):
            uses.setdefault(image, []).append(use)
    wanted = tuple(Wanted(image, tuple(dict.fromkeys(said))) for image, said in sorted(uses.items()))
    return ImageList(wanted, tuple(without))


def _of_engine(configuration: Configuration, profiles: Mapping[str, EngineProfile], name: str) -> str | None:
    """Where its makers publish it, whatever mirror is configured: that is where it is copied from."""
    found = engine_image(configuration, EngineName(name), profiles[name], mirror=None)
    return str(found) if found else None


def _in_manifest(manifest: Json) -> Iterator[tuple[str, str]]:
    """Every image of every container, wherever in the object it stands, and that of a ModelDeployment's engine."""
    metadata = manifest.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    what = f"{manifest.get('kind', 'object')} {name}".strip()
    spec = manifest.get("spec")
    engine = spec.get("engine") if isinstance(spec, dict) else None
    if isinstance(engine, dict) and isinstance(engine.get("image"), str):
        yield engine["image"], what
    for image in _in_containers(manifest):
        yield image, what


def _in_containers(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _in_containers(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in ("containers", "initContainers") and isinstance(inner, list):
                yield from (
                    one["image"] for one in inner if isinstance(one, dict) and isinstance(one.get("image"), str)
                )
            else:
                yield from _in_containers(inner)


def configurations_in(manifests: Sequence[Json]) -> Iterator[str]:
    """The operator's configuration files in what `helm template` writes."""
    for manifest in manifests:
        data = manifest.get("data")
        if manifest.get("kind") == "ConfigMap" and isinstance(data, dict):
            file = data.get("configuration.yaml")
            if isinstance(file, str):
                yield file
