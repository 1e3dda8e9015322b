import pytest

from e2e.cluster.layout import DNS_DOMAIN
from e2e.running_cluster import Namespace, pod, until

pytestmark = pytest.mark.e2e

WEB = "mkdir /tmp/www; hostname > /tmp/www/index.html; httpd -f -p 8000 -h /tmp/www"
PROBE = {"readinessProbe": {"httpGet": {"port": 8000, "path": "/"}, "periodSeconds": 1}}


@pytest.fixture
def web(namespace: Namespace) -> Namespace:
    labels = {"app": "web", "tier": "serving"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]},
    }
    webs = [pod(name, WEB, labels=labels, container=PROBE) for name in ("web-a", "web-b")]
    namespace.apply(*webs, service, pod("client"))
    namespace.wait_ready("web-a", "web-b", "client")
    until(lambda: _answers(namespace, 20) == {"web-a", "web-b"}, "the Service reaches both pods")
    return namespace


def _answers(namespace: Namespace, count: int) -> set[str]:
    loop = f"for i in $(seq {count}); do timeout 2 wget -qO- http://web || true; done"
    return set(namespace.execute("client", "sh", "-c", loop).split())


def test_a_service_balances_over_its_pods_by_name(web: Namespace) -> None:
    assert _answers(web, 40) == {"web-a", "web-b"}


def test_a_pod_reaches_itself_through_its_service(web: Namespace) -> None:
    loop = "for i in $(seq 20); do timeout 2 wget -qO- http://web; done"
    assert set(web.execute("web-a", "sh", "-c", loop).split()) == {"web-a", "web-b"}


def test_a_label_takes_a_pod_off_traffic_and_back(web: Namespace) -> None:
    web.kubectl("label", "pod", "web-a", "--overwrite", "tier=warm")
    until(lambda: _answers(web, 20) == {"web-b"}, "web-a is off traffic")
    web.kubectl("label", "pod", "web-a", "--overwrite", "tier=serving")
    until(lambda: _answers(web, 20) == {"web-a", "web-b"}, "web-a is back")


def test_dns_answers_for_the_cluster_and_for_nothing_else(web: Namespace) -> None:
    name = f"web.{web.name}.svc.{DNS_DOMAIN}"
    assert name in web.execute("client", "nslookup", name)
    reverse = web.execute("client", "sh", "-c", "nslookup no-such-host.example 2>&1 || true")
    assert "can't find" in reverse


def test_a_network_policy_is_accepted(web: Namespace) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "only-clients"},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [{}]},
    }
    web.apply(policy)
    assert web.json("get", "networkpolicy", "only-clients")["spec"]["policyTypes"] == ["Ingress"]
