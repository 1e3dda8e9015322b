"""Certificates and kubeconfigs of a whole cluster."""

from e2e.cluster.components import API_ADDRESSES, API_NAMES, API_URL
from e2e.cluster.kubeconfig import write_kubeconfig
from e2e.cluster.layout import NODE_IP, NODE_NAME, Layout
from e2e.cluster.pki import new_authority, write_service_account_keys

CLIENTS = ("kube-controller-manager", "kube-scheduler", "kube-proxy")


def write_cluster_pki(layout: Layout) -> None:
    """Once in a cluster's life: pods hold tokens that these keys sign."""
    complete = layout.pki / "complete"
    if complete.exists():
        return
    authority = new_authority(layout.pki)
    write_service_account_keys(layout.pki)
    authority.issue("kube-apiserver", "kube-apiserver", dns=API_NAMES, ips=API_ADDRESSES)
    authority.issue("apiserver-kubelet", "kube-apiserver-kubelet-client", group="system:masters")
    authority.issue("front-proxy", "front-proxy")
    pairs = {name: authority.issue(name, f"system:{name}") for name in CLIENTS}
    pairs["kubelet"] = authority.issue(
        "kubelet", f"system:node:{NODE_NAME}", group="system:nodes", dns=(NODE_NAME,), ips=(NODE_IP,)
    )
    for name, pair in pairs.items():
        write_kubeconfig(layout.component_kubeconfig(name), API_URL, authority.certificate_file, pair, layout.name)
    admin = authority.issue("admin", "admin", group="system:masters")
    write_kubeconfig(layout.kubeconfig, API_URL, authority.certificate_file, admin, f"stoker-e2e-{layout.name}")
    complete.touch()
