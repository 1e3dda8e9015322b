"""spec.model: which model, from where, under which name."""

from typing import Annotated

from pydantic import Field

from stoker.api.declaration import SET, ApiModel, Effect, TransitionRule, matching
from stoker.api.v1alpha1.names import ObjectName, ShortText
from stoker.api.values.source import ModelSource

ServedName = Annotated[
    str,
    Field(min_length=1, max_length=128),
    matching(
        "[A-Za-z0-9](?:[A-Za-z0-9_./:-]*[A-Za-z0-9])?",
        "{self} cannot be a served name: use letters, digits and _ . / : -, with a letter or digit at both ends",
    ),
]
FilePatterns = Annotated[tuple[ShortText, ...], Field(max_length=32), SET]


class ObjectReference(ApiModel):
    """Another object in the same namespace."""

    name: ObjectName = Field(examples=["hf-token"])
    """Name of the object."""


class FileSelection(ApiModel):
    """Which files of the source are fetched, so that one weight format is stored and not three."""

    include: FilePatterns = Field((), examples=[["*.safetensors", "*.json"]])
    """Shell patterns of the files to fetch. Empty: what the engine can load, and the files that describe it."""

    exclude: FilePatterns = Field((), examples=[["original/*"]])
    """Shell patterns of files to leave out, also when `include` names them."""


class Model(ApiModel):
    """The model: where its weights are and the name under which it is served."""

    transition_rules = (
        TransitionRule(
            cel="has(self.servedName) == has(oldSelf.servedName)"
            " && (!has(self.servedName) || self.servedName == oldSelf.servedName)",
            says="servedName cannot be changed, set or unset later, because clients call the model by it:"
            " make a second ModelDeployment with the new name and move the clients over",
            at=".servedName",
        ),
    )

    source: ModelSource = Field(examples=["hf://meta-llama/Llama-3.1-8B-Instruct@main"])
    """Where the weights come from: hf://, s3://, gs://, az://, oci://, https://, pvc:// or ollama://.
    A revision is part of it: @BRANCH, @TAG or @COMMIT for hf://, :TAG or @sha256:DIGEST for oci://, :TAG for ollama://,
    #sha256=DIGEST for https://, and an @LABEL of your own for buckets and claims: changing it says that the content
    changed."""

    served_name: Annotated[ServedName | None, Effect.FIXED] = Field(None, examples=["llama-8b"])
    """The name that clients send as `model`. Absent: the name of the ModelDeployment."""

    secret_ref: Annotated[ObjectReference | None, Effect.LIVE] = Field(None, examples=[{"name": "hf-token"}])
    """Secret with the credentials of the source. Only the job that fetches the weights sees it, never the
    model server."""

    service_account_name: Annotated[ObjectName | None, Effect.LIVE] = Field(None, examples=["weights-reader"])
    """ServiceAccount of the job that fetches the weights, for workload identity. The model server runs without
    a token."""

    trust_remote_code: bool = Field(default=False, examples=[False])
    """Allows pickle weights and Python code that come with the model. The operator's configuration must allow the
    source too."""

    files: FileSelection = Field(FileSelection(), examples=[{"include": ["*Q4_K_M.gguf"]}])
    """Which files of the source are fetched."""
