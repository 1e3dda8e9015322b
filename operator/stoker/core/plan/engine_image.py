"""Which image an engine runs from where the spec names none."""

from stoker.api.configuration import Configuration
from stoker.api.v1alpha1.engine import EngineName
from stoker.api.values.image import ImageReference
from stoker.core.engine import EngineProfile
from stoker.core.plan.agent import IN_THE_RUNTIME_IMAGE


def engine_image(
    configuration: Configuration, name: EngineName, profile: EngineProfile | None, mirror: str | None
) -> ImageReference | None:
    """The one that is set up, Stoker's own, or the one that its makers publish, which `mirror` may have."""
    own = configuration.runtime.image if name in IN_THE_RUNTIME_IMAGE else None
    published = ImageReference.parse(profile.image) if profile and profile.image else None
    if published and mirror:
        published = published.below(mirror)
    return configuration.engine(name).image or own or published
