"""A cluster that exists, named by a context of the kubeconfig."""

from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.up import release
from e2e.up.forward import forwarded
from e2e.up.serving import Patience, model_in, sample_for, serve, stream
from e2e.up.steps import Steps, detail, say
from e2e.up.target import Target, that_exists


def up(context: str, values: Path | None, manifest: Path | None, patience: Patience) -> None:
    steps = Steps(4)
    with steps.step(f"The cluster of context {context}"):
        target = that_exists(context)
        model = model_in(manifest or sample_for(target))
    with steps.step("Stoker: helm upgrade --install stoker charts/stoker"):
        _install(target, context, values)
    with steps.step(f"A model: kubectl apply -f {model.shown}", "weights are fetched, verified, loaded"):
        serve(target, model, patience)
    with steps.step("A chat completion, streamed through kubectl port-forward"), forwarded(target, model.name) as url:
        stream(target, model, url)
    say("\nTook:")
    say("\n".join(steps.figures()))
    say(_next_steps(context, model.name))


def _install(target: Target, context: str, values: Path | None) -> None:
    if values is None:
        if release.release_of(target) is None:
            raise Refusal(_images_wanted(context))
        release.wait_until_it_runs(target)
        detail("installed already, and without VALUES left as it is")
        return
    try:
        text = values.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Refusal(f"VALUES={values}: cannot be read: {error}") from error
    changed = release.install(target, text)
    detail("its operators are Ready" if changed else "installed already, with this chart and these values")


def _images_wanted(context: str) -> str:
    return (
        "Stoker is not installed there, and its nodes need two images from a registry, operator and runtime:"
        " build and push them with the commands that operator/Containerfile and runtime-image/Containerfile begin with,"
        " write `registry: REGISTRY/stoker` and their tags into a file as docs/guides/install.md shows, and run"
        f" `make up CONTEXT={context} VALUES=FILE`"
    )


def _next_steps(context: str, model: str) -> str:
    return f"""
{model} serves. What to do next:

  .venv/bin/stoker status --context {context}
  .venv/bin/stoker explain {model} --context {context}
  kubectl --context {context} port-forward service/{model} 8000:80
  docs/quickstart.md#4-call goes on from there
  kubectl --context {context} delete mdep/{model}, and docs/guides/install.md#uninstall, remove what came
"""
