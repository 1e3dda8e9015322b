"""Ollama, in its published image.

Ollama serves what is in its own store. The store is made in scratch at the start, offline and without a copy: the
blob is a link to the GGUF on the volume, and `ollama create` writes the few small files beside it, with the prompt
template that it finds for the model. The model is loaded under another name and gets its own name last, so its health
path answers 200 when it is loaded and not before.
"""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.gguf import CHOOSE, chosen
from stoker.engines.lacking import ASLEEP, DTYPE, MEMORY, NO_SLEEP, QUANTIZATION, first_lack
from stoker_runtime.facts import Format

_LACKS = {
    MEMORY: "takes what the model and its cache need: remove it, and set spec.engine.contextLength to bound the cache",
    DTYPE: "computes in the types of the GGUF: remove it",
    QUANTIZATION: "takes the quantization of the GGUF: remove it, and choose a file with spec.model.files.include",
    ASLEEP: NO_SLEEP,
}
_START = rf'''
folder=$1 name=$2; shift 2
{CHOOSE}
case "${{model##*/}}" in *-of-[0-9][0-9][0-9][0-9][0-9].*)
  echo "$model is one of several parts, which Ollama does not load: take a GGUF in one file, or engine llamacpp" >&2
  exit 2 ;;
esac
mkdir -p "$OLLAMA_MODELS/blobs"
for file in "$model" ${{projector:+"$projector"}}; do
  # What was published says its own digest; anything else is read once.
  digest=$(sed -n "\|\"path\": \"${{file#"$folder"/}}\"|,/\"sha256\"/s/.*\"sha256\": \"\([0-9a-f]*\)\".*/\1/p" \
    "$folder/manifest.json" 2>/dev/null || true)
  [ "${{#digest}}" = 64 ] || digest=$(sha256sum "$file" | cut -c1-64)
  ln -sf "$file" "$OLLAMA_MODELS/blobs/sha256-$digest"
done
{{
  echo "FROM $model"
  [ -z "$projector" ] || echo "FROM $projector"
  [ ! -f "$folder/template" ] || printf 'TEMPLATE """%s"""\n' "$(cat "$folder/template")"
  [ ! -f "$folder/system" ] || printf 'SYSTEM """%s"""\n' "$(cat "$folder/system")"
}} > "$OLLAMA_MODELS/Modelfile"
ollama serve "$@" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null' TERM INT
until ollama list >/dev/null 2>&1; do
  kill -0 "$server" 2>/dev/null || {{ wait "$server"; exit $?; }}
  sleep 0.2
done
ollama create stoker-loading -f "$OLLAMA_MODELS/Modelfile" >&2 || {{ kill -TERM "$server"; exit 1; }}
# A model for embeddings has no empty prompt, and is loaded by its first request.
ollama run stoker-loading "" </dev/null >&2 || true
ollama cp stoker-loading "$name" >&2
ollama rm stoker-loading >&2
code=0
while kill -0 "$server" 2>/dev/null; do wait "$server" && code=0 || code=$?; done
exit "$code"
'''


class Ollama:
    """It has no metrics, and cuts running requests when it is told to end."""

    formats = frozenset({Format.GGUF})
    image = "docker.io/ollama/ollama:0.17.4"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        refusal = first_lack(spec, "Ollama", _LACKS) or _unfit_name(model.served_name)
        gguf = refusal or chosen(model)
        if isinstance(gguf, Refusal):
            return gguf
        port = model.listen.port
        return Server(
            command=("/bin/sh", "-euc", _START, "ollama", model.path, model.served_name),
            args=spec.engine.args,
            port=port,
            health_path=f"/v1/models/{model.served_name}",
            metrics_path="/metrics",
            env=_environment(spec, f"{model.listen.host}:{port}"),
        )


def _unfit_name(name: str) -> Refusal | None:
    """A host and a namespace are part of a name for Ollama, and its routes take one segment."""
    if "/" not in name:
        return None
    return Refusal(
        Reason.ENGINE_NOT_SUPPORTED,
        f"spec.model.servedName is {name}, and Ollama takes what is before a / for a registry: use a name without one.",
    )


def _environment(spec: Spec, address: str) -> dict[str, str]:
    """OLLAMA_CONTEXT_LENGTH is of each request."""
    engine = spec.engine
    env = {
        "OLLAMA_HOST": address,
        "OLLAMA_MODELS": "/tmp/ollama/models",  # noqa: S108 - the one place that is writable
        "OLLAMA_KEEP_ALIVE": "-1",
        "OLLAMA_MAX_LOADED_MODELS": "1",
        "OLLAMA_NUM_PARALLEL": str(engine.max_concurrency or 1),
        "OLLAMA_LOAD_TIMEOUT": "0",
        "OLLAMA_NOPRUNE": "1",
        "OLLAMA_NO_CLOUD": "1",
        "DO_NOT_TRACK": "1",
    }
    if engine.context_length is not None:
        env["OLLAMA_CONTEXT_LENGTH"] = str(engine.context_length)
    return env
