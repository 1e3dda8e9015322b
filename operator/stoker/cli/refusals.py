"""What the API server refuses, as a sentence that says what to do about it; one way for every command."""

from collections.abc import Iterator
from contextlib import contextmanager

from stoker.cli.input_error import InputError
from stoker.kube.connection import ApiError, ApiUnreachableError
from stoker.kube.resources import Resource

_NO_DEFINITION = (
    "this cluster does not know ModelDeployments: install Stoker, with `helm install stoker charts/stoker`,"
    " or its definition alone, with `kubectl apply -f crds/`"
)


class MissingError(InputError):
    """The API is there, the object is not."""


class ChangedMeanwhileError(InputError):
    """The object is no longer the one that was seen."""


@contextmanager
def explained(verb: str, resource: Resource, namespace: str) -> Iterator[None]:
    """Raises InputError for whatever the API server raises."""
    kind = f"{resource.plural}.{resource.group}".rstrip(".")
    try:
        yield
    except ApiUnreachableError as silent:
        raise InputError([f"the API server does not answer: {silent}: look at --kubeconfig and --context"]) from silent
    except ApiError as refused:
        raise _sentence(refused, verb, kind, namespace) from refused


def _sentence(refused: ApiError, verb: str, kind: str, namespace: str) -> InputError:
    where = f"in namespace {namespace}" if namespace else "in all namespaces"
    if refused.status == 401:
        return InputError(["the API server does not accept the credentials: log in again, or give --context"])
    if refused.status == 403:
        narrower = "" if namespace else ", or name one namespace with -n"
        return InputError([f"you may not {verb} {kind} {where}: ask for a role with the verb {verb}{narrower}"])
    if refused.status == 404 and refused.reason == "NotFound" and "the server could not find" not in refused.message:
        return MissingError([f"{refused.message}: look at the names that the command was given"])
    if refused.status == 404:
        return InputError([_NO_DEFINITION])
    if refused.status == 409:
        return ChangedMeanwhileError(["somebody changed it at the same moment: try again"])
    return InputError([f"the API server refuses to {verb} {kind} {where}: {refused.message}"])
