"""Prometheus over TLS: only by an authority that is trusted."""

import ssl
from pathlib import Path

import pytest

from e2e.cluster.pki import new_authority
from tests.unit.signals.prometheus_stand_in import engine, secret, source_of, stand_in


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """Of a server whose certificate is by the authority in ca.crt."""
    pair = new_authority(tmp_path).issue("prometheus", "prometheus", ips=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate_file, pair.key_file)
    return context


async def test_a_prometheus_of_a_given_authority_is_trusted(tls: ssl.SSLContext, tmp_path: Path) -> None:
    with stand_in(tls, figures=engine()) as there:
        source = source_of(there, ca_file=tmp_path / "ca.crt")
        await source.look()
    assert source.why is None


async def test_a_prometheus_of_no_known_authority_gets_no_token(tls: ssl.SSLContext, tmp_path: Path) -> None:
    with stand_in(tls, figures=engine()) as there:
        source = source_of(there, bearer_token_file=secret(tmp_path / "token", "secret"))
        await source.look()
    assert source.why is not None
    assert "certificate verify failed" in source.why
    assert not there.asked


async def test_no_environment_changes_whom_it_trusts(
    tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with stand_in(tls, figures=engine()) as there:
        source = source_of(there)
        await source.look()
    assert source.why is not None
    assert "certificate verify failed" in source.why
