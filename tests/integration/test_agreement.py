"""The API server and the command line read the same models: the same defaults, and the same refusals."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stoker.api.parsing import InvalidManifest, parse_file, parse_live
from tests.integration.api_server import ApiServer
from tests.manifests import is_stored, manifest
from tests.specs import broken_specs, specs

_SETTINGS = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)


@given(spec=specs())
@_SETTINGS
def test_any_valid_spec_comes_back_unchanged_with_the_defaults_that_the_models_have(
    api: ApiServer, spec: dict[str, Any]
) -> None:
    sent = manifest({"spec": spec})
    parsed = parse_file(sent)
    answer = api.create(sent)
    assert answer.status == 201, answer.message
    is_stored(spec, answer.body["spec"])
    is_stored(parsed.to_manifest()["spec"], answer.body["spec"])
    assert parse_live(answer.body).deployment.spec == parsed.spec


@given(spec=broken_specs())
@_SETTINGS
def test_the_command_line_refuses_exactly_what_the_api_server_refuses(api: ApiServer, spec: dict[str, Any]) -> None:
    sent = manifest({"spec": spec})
    answer = api.create(sent)
    assert "evaluating rule" not in answer.message, answer.message
    assert refusal_of(sent) if answer.status in (400, 422) else not refusal_of(sent), (
        f"API server: {answer.status} {answer.message}; command line: {refusal_of(sent)}"
    )


def refusal_of(sent: dict[str, Any]) -> str:
    """What the command line says against it, or nothing."""
    try:
        parse_file(sent)
    except InvalidManifest as refused:
        return str(refused)
    return ""


@given(text=st.text(alphabet="0123456789.eEmkKMGTPiun+- ", min_size=1, max_size=12))
@_SETTINGS
def test_they_agree_on_what_a_quantity_is(api: ApiServer, text: str) -> None:
    sent = manifest({"spec.resources": {"requests": {"memory": text}}})
    answer = api.create(sent)
    assert bool(refusal_of(sent)) == (answer.status == 422), f"{text!r}: {answer.message}; {refusal_of(sent)}"
