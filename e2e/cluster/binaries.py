"""What is built from source, and the key under which each result is kept."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.cluster.toolchain import GO_SOURCES, Go

RECIPE = "1"  # raise it when the way of building changes what comes out


@dataclass(frozen=True)
class Binary:
    name: str
    package: str
    module: str = "."
    aliases: tuple[str, ...] = ()
    stamped_with: str = ""  # the required module whose version is written into the binary
    version_variables: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return GO_SOURCES / self.module

    def version(self) -> str:
        return required_versions(self.folder / "go.mod")[self.stamped_with]

    def linker_flags(self) -> str:
        flags = ["-s", "-w"]
        for variable in self.version_variables:
            path, _, field = variable.rpartition(".")
            numbers = self.version().lstrip("v").split(".")
            value = {"gitMajor": numbers[0], "gitMinor": numbers[1]}.get(field, self.version())
            flags += ["-X", f"{path}.{field}={value}"]
        return " ".join(flags)

    def sources(self) -> list[Path]:
        """Modules and this command's own code; what the module's other commands hold changes nothing here."""
        own = self.folder / self.package if self.package.startswith(".") else None
        code = [*own.rglob("*.go"), *self.folder.glob("internal/**/*.go")] if own else []
        if own and not code:
            raise Refusal(f"{own} holds no Go source of {self.name}: check out the whole repository")
        kept = [path for path in code if not path.name.endswith("_test.go")]
        return sorted([self.folder / "go.mod", self.folder / "go.sum", *kept])

    def key(self, go: Go) -> str:
        digest = hashlib.sha256(repr((RECIPE, go.version, self)).encode())
        for path in self.sources():
            digest.update(f"\0{path.relative_to(GO_SOURCES)}\0".encode() + path.read_bytes())
        return f"{self.name}-{digest.hexdigest()[:16]}"


KUBE_COMPONENTS = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl",
)  # fmt: skip
_COMPONENT_VERSION = "k8s.io/component-base/version"
KUBE = Binary(
    "kube",
    "./cmd/kube",
    aliases=KUBE_COMPONENTS,
    stamped_with="k8s.io/kubernetes",
    version_variables=tuple(f"{_COMPONENT_VERSION}.{field}" for field in ("gitVersion", "gitMajor", "gitMinor")),
)
KWOK = Binary("kwok", "sigs.k8s.io/kwok/cmd/kwok", "kwok", stamped_with="sigs.k8s.io/kwok")
HELM = Binary(
    "helm",
    "helm.sh/helm/v3/cmd/helm",
    "helm",
    stamped_with="helm.sh/helm/v3",
    version_variables=("helm.sh/helm/v3/internal/version.version",),
)
COREDNS = Binary("coredns", ".", "coredns", stamped_with="github.com/coredns/coredns")
PROVISIONER = Binary("provisioner", "./cmd/provisioner")
SCRAPE_TARGETS = Binary("scrape-targets", "./cmd/scrape-targets")
FAKE_GPU = Binary("fake-gpu", "./cmd/fake-gpu")
KSTATUS = Binary("kstatus", "./cmd/kstatus", "gitops")  # for one test, so no part of a cluster
ALL_BINARIES = (KUBE, COREDNS, PROVISIONER, SCRAPE_TARGETS, FAKE_GPU, HELM, KWOK)


@cache
def required_versions(go_mod: Path) -> dict[str, str]:
    return dict(re.findall(r"^(?:require)?\s+(\S+) (v\S+)", go_mod.read_text(), re.MULTILINE))
