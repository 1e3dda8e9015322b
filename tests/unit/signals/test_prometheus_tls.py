"""Prometheus over TLS: only by an authority that is trusted."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.signals.prometheus_stand_in import engine, secret, source_of, stand_in


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """Of a server whose certificate is in ca.crt."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "prometheus")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.crt", tmp_path / "tls.key")
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
