"""Every wrong manifest is refused by `kubectl apply`, at the right field, with a sentence that says what to write."""

import json

import pytest

from tests.integration.api_server import ApiServer
from tests.manifests import manifest
from tests.refused import REFUSED, Refused


def test_there_are_enough_wrong_manifests() -> None:
    assert len(REFUSED) >= 60
    assert len({refused.why for refused in REFUSED}) == len(REFUSED)


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.why)
def test_kubectl_apply_refuses(api: ApiServer, refused: Refused) -> None:
    applied = api.kubectl("apply", "-f", "-", stdin=json.dumps(manifest(refused.changes)))
    assert applied.returncode != 0, applied.stdout
    print(f"{refused.why}: {applied.stderr.strip()}")
    assert refused.field in applied.stderr
    assert refused.sentence in applied.stderr
    # A rule that cannot be evaluated refuses too, but tells nobody anything.
    assert "evaluating rule" not in applied.stderr
    assert "no such key" not in applied.stderr
