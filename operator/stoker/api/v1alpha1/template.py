"""spec.template: the escape hatch into the pods."""

from typing import Annotated

from pydantic import Field

from stoker.api.declaration import ApiModel, Rule
from stoker.api.values.frozen import EMPTY, FrozenJson, FrozenMap

_OWN_PREFIX = "stoker.dev/"
TextMap = Annotated[FrozenMap[Annotated[str, Field(max_length=4096)]], Field(max_length=64)]


class PodMetadataPatch(ApiModel):
    """Labels and annotations that the pods have besides Stoker's own."""

    rules = (
        Rule(
            cel=f"(!has(self.labels) || !self.labels.exists(k, k.startsWith('{_OWN_PREFIX}')))"
            f" && (!has(self.annotations) || !self.annotations.exists(k, k.startsWith('{_OWN_PREFIX}')))",
            holds=lambda metadata: (
                not any(key.startswith(_OWN_PREFIX) for key in (*metadata.labels, *metadata.annotations))
            ),
            says=f"labels and annotations that start with {_OWN_PREFIX} are Stoker's own:"
            " remove them or use another prefix",
        ),
    )

    labels: TextMap = Field(EMPTY, examples=[{"team": "search"}])
    """Labels of the pods."""

    annotations: TextMap = Field(EMPTY, examples=[{"example.com/contact": "search@example.com"}])
    """Annotations of the pods."""


class PodTemplatePatch(ApiModel):
    """A strategic-merge patch over the pod template, as `kubectl patch` takes it."""

    metadata: PodMetadataPatch = Field(PodMetadataPatch(), examples=[{"labels": {"team": "search"}}])
    """Labels and annotations of the pods."""

    spec: FrozenJson = Field(EMPTY, examples=[{"priorityClassName": "serving", "nodeSelector": {"zone": "a"}}])
    """A patch over the pod's spec. The model server's container is called `server`; others are added beside it."""
