import base64
import json
from pathlib import Path

from e2e.cluster.pki import KeyPair


def write_kubeconfig(path: Path, url: str, ca_file: Path, client: KeyPair, cluster_name: str) -> Path:
    """A kubeconfig that holds its certificates, so that it can be copied anywhere. JSON is valid YAML."""
    cluster = {"server": url, "certificate-authority-data": _data(ca_file)}
    user = {"client-certificate-data": _data(client.certificate_file), "client-key-data": _data(client.key_file)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster_name, "cluster": cluster}],
        "users": [{"name": cluster_name, "user": user}],
        "contexts": [{"name": cluster_name, "context": {"cluster": cluster_name, "user": cluster_name}}],
        "current-context": cluster_name,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
