"""When the chart is installed, and when what is there is left alone."""

import json
from pathlib import Path

import pytest

from e2e.cluster.refusal import Refusal
from e2e.up.release import install, mark_of
from e2e.up.target import Target

VALUES = "registry: registry.example.com/stoker\n"
_HELM = """#!/bin/sh
echo "$1 $2 $3" >> {calls}
case "$1" in
  status) cat {status}; test -s {status} || {{ echo "Error: release: not found" >&2; exit 1; }};;
  *) cat > /dev/null; exit {code};;
esac
"""


class Machine:
    """A helm that keeps what it is called with, and a kubectl that finds the operator."""

    def __init__(self, folder: Path, status: str = "", description: str = "", code: int = 0) -> None:
        self._calls = folder / "calls"
        answer = json.dumps({"info": {"status": status, "description": description}}) if status else ""
        (folder / "status").write_text(answer)
        self._folder = folder
        self._script("helm", _HELM.format(calls=self._calls, status=folder / "status", code=code))
        self._script("kubectl", "#!/bin/sh\necho deployment.apps/stoker-operator\n")

    def _script(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)
        (self._folder / name).chmod(0o755)

    def target(self, context: str | None = None) -> Target:
        return Target((), (str(self._folder / "kubectl"),), (str(self._folder / "helm"),), context)

    def calls(self) -> list[str]:
        return [line for line in self._calls.read_text().splitlines() if not line.startswith("status")]


def test_it_is_installed_where_nothing_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert install(machine.target(), VALUES)
    assert machine.calls() == ["upgrade --install stoker"]


def test_the_same_chart_with_the_same_values_is_left_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "deployed", mark_of(VALUES))
    assert not install(machine.target(), VALUES)
    assert machine.calls() == []


@pytest.mark.parametrize(("status", "description"), [("deployed", "other values"), ("failed", mark_of(VALUES))])
def test_other_values_or_a_failure_are_upgraded(status: str, description: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path, status, description)
    assert install(machine.target(), VALUES)
    assert machine.calls() == ["upgrade --install stoker"]


@pytest.mark.parametrize(
    ("status", "undo"),
    [("pending-install", "uninstall"), ("pending-upgrade", "rollback"), ("pending-rollback", "rollback")],
)
def test_an_install_that_was_killed_is_undone_first_in_a_cluster_of_ours(
    status: str, undo: str, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, status)
    install(machine.target(), VALUES)
    assert machine.calls() == [f"{undo} stoker --wait", "upgrade --install stoker"]


def test_elsewhere_somebody_may_be_at_work_so_nothing_is_undone(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "pending-install")
    with pytest.raises(Refusal, match="another helm is at work"):
        install(machine.target("staging"), VALUES)
    assert machine.calls() == []


def test_what_helm_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="helm upgrade --install stoker: it said nothing and ended with 3"):
        install(Machine(tmp_path, code=3).target(), VALUES)
