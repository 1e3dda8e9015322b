"""Which file of a folder is the model: these engines take a file."""

from dataclasses import dataclass

from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import MountedModel, Refusal
from stoker_runtime.facts import Format
from stoker_runtime.failure import WeightsError
from stoker_runtime.inspect.weight_files import weight_files


@dataclass(frozen=True)
class Gguf:
    """Paths in the container. Of a model in parts, the first one: it names the others."""

    model: str
    projector: str | None = None


# For folders that nobody looked at: sets `model` and `projector` out of `folder`, or ends with a sentence.
CHOOSE = r"""
model= projector= found=0
IFS='
'
set -f
for file in $(find -L "$folder" -name '*.[gG][gG][uU][fF]' | sort); do
  case "${file##*/}" in
    *[mM][mM][pP][rR][oO][jJ]*) projector=$file ;;
    *-00001-of-[0-9][0-9][0-9][0-9][0-9].*) model=$file found=$((found + 1)) ;;
    *-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].*) ;;
    *) model=$file found=$((found + 1)) ;;
  esac
done
if [ "$found" != 1 ]; then
  echo "$folder holds $found models in GGUF, and one is served: choose one with spec.model.files.include" >&2
  exit 2
fi
"""


def chosen(model: MountedModel) -> Gguf | Refusal | None:
    """None: nobody looked into the folder."""
    if model.path.lower().endswith(".gguf"):
        return Gguf(model.path)
    if model.files is None:
        return None
    try:
        weights = weight_files(model.files)
    except WeightsError as error:
        return Refusal(Reason(error.reason.value), f"spec.model.source: {error.message}.")
    if weights.format is not Format.GGUF:
        return Refusal(
            Reason.NO_WEIGHTS_FOUND,
            f"spec.model.source holds weights in {weights.format}, and {weights.names[0]} is no GGUF:"
            " name a GGUF of the model, or use engine vllm.",
        )
    projectors = [name for name in model.files if "mmproj" in name.rpartition("/")[2].lower()]
    projector = f"{model.path}/{min(projectors)}" if projectors else None
    return Gguf(f"{model.path}/{weights.names[0]}", projector)
