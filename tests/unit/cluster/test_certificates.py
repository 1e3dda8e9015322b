import json
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from e2e.cluster.kubeconfig import write_kubeconfig
from e2e.cluster.pki import new_authority, write_service_account_keys


def test_an_issued_certificate_is_signed_by_the_authority_for_its_names(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    pair = authority.issue("api", "kube-apiserver", group="masters", dns=("api.local",), ips=("100.82.0.1",))
    certificate = x509.load_pem_x509_certificate(pair.certificate_file.read_bytes())
    certificate.verify_directly_issued_by(authority.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["api.local"]
    assert certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "masters"
    ssl.create_default_context(cafile=str(authority.certificate_file)).load_cert_chain(
        pair.certificate_file, pair.key_file
    )


def test_private_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    keys = [authority.key_file, authority.issue("a", "a").key_file, write_service_account_keys(tmp_path).key_file]
    assert [path.stat().st_mode & 0o077 for path in keys] == [0, 0, 0]


def test_a_kubeconfig_holds_all_it_needs(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    client = authority.issue("admin", "admin")
    path = write_kubeconfig(tmp_path / "kubeconfig", "https://api:6443", authority.certificate_file, client, "one")
    content = json.loads(path.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://api:6443"
    assert str(tmp_path) not in path.read_text()
