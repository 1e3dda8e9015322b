"""One etcd and one kube-apiserver for the whole run, with the CRD of this working tree installed."""

import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.control_plane import control_plane
from stoker.api.schema.crd import custom_resource_definition
from tests.integration.api_server import NAMESPACED, Answer, ApiServer
from tests.integration.world import CRDS, World, inhabited
from tests.longest_first import begin_with

# An operator that a test kills in mid-air may leave a connection that was just being made to nobody, as a dead process
# leaves it to the kernel. Here it is the collector that closes it, in the midst of another test.
_LEFT_BY_THE_DEAD = (
    "ignore:Exception ignored in. <function _SelectorTransport.__del__",
    "ignore:Exception ignored in. <socket.socket fd=",
)


LONGEST = (
    "test_the_operator_is_killed",
    "test_permissions",
    "test_a_hundred_removals",
    "test_two_operators",
    "test_operator_process",
    "test_operator",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    begin_with(LONGEST, items)
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            for left in _LEFT_BY_THE_DEAD:
                item.add_marker(pytest.mark.filterwarnings(f"{left}:pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(scope="session")
def bare_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    assets = kubebuilder_assets()
    with control_plane(assets, tmp_path_factory.mktemp("control-plane")) as plane:
        context = ssl.create_default_context(cafile=str(plane.ca_file))
        context.load_cert_chain(plane.client_cert, plane.client_key)
        with contextlib.closing(ApiServer(plane.url, context, plane.kubeconfig, assets / "kubectl")) as server:
            yield server


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a control plane with the real controllers, which the module has for itself."""
    with control_plane(kubebuilder_assets(), tmp_path_factory.mktemp("plane"), controllers=True) as plane:
        yield plane.kubeconfig


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    async with inhabited(kubeconfig) as made:
        yield made


@pytest.fixture(scope="session")
def crd_answer(bare_api: ApiServer) -> Answer:
    """What the API server said when the CRD was created."""
    return bare_api.ask("POST", f"{CRDS}?fieldValidation=Strict", custom_resource_definition())


@pytest.fixture(scope="session")
def api(bare_api: ApiServer, crd_answer: Answer) -> ApiServer:
    """The API server once it serves ModelDeployments and can explain them, which comes a while later."""
    assert crd_answer.status == 201, crd_answer.message
    deadline = time.monotonic() + 60
    while bare_api.ask("GET", NAMESPACED).status != 200 or not _explains(bare_api):
        assert time.monotonic() < deadline, "the API server does not serve and explain ModelDeployments after 60 s"
        time.sleep(0.05)
    return bare_api


def _explains(api: ApiServer) -> bool:
    return "apis/stoker.dev/v1alpha1" in api.ask("GET", "/openapi/v3").body["paths"]


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[2]
