"""The cluster that is installed into, and how tools reach it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.binaries import HELM, KUBE
from e2e.cluster.build import built
from e2e.cluster.layout import Layout
from e2e.cluster.namespace import tool_prefix
from e2e.cluster.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]
_ANSWER_SECONDS = 15


@dataclass(frozen=True)
class Target:
    inside: tuple[str, ...]  # what stands before a command that has to be in the cluster's network
    kubectl: tuple[str, ...]
    helm: tuple[str, ...]
    context: str | None = None  # of a kubeconfig; None: a cluster that was made here, in which nobody else is at work

    @property
    def ours(self) -> bool:
        return self.context is None

    def command(self, *words: str) -> list[str]:
        return [*self.inside, *words]

    def show(self, *words: str) -> int:
        """Runs it with its words for everybody to read, and gives its exit status."""
        return subprocess.run(self.command(*words), check=False, cwd=ROOT).returncode

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        whole = self.command(*command)
        return subprocess.run(whole, input=stdin, capture_output=True, text=True, check=False, cwd=ROOT)

    def ask(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints, or a refusal in its words."""
        answer = self.run(*self.kubectl, *arguments, stdin=stdin)
        if answer.returncode != 0:
            raise Refusal(f"kubectl {' '.join(arguments)}: {last_words(answer)}")
        return answer.stdout


def last_words(answer: subprocess.CompletedProcess[str]) -> str:
    """One line of them."""
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"it said nothing and ended with {answer.returncode}"


def made_here(layout: Layout) -> Target:
    tools = built([KUBE, HELM])
    inside = (*tool_prefix(layout), "env", f"KUBECONFIG={layout.kubeconfig}")
    kubectl, helm = str(tools[KUBE.name] / "kubectl"), str(tools[HELM.name] / "helm")
    return Target(inside, (kubectl,), (helm,))


def that_exists(context: str) -> Target:
    """By its name in the kubeconfig, after one question to see that it answers."""
    for tool in ("kubectl", "helm"):
        if shutil.which(tool) is None:
            raise Refusal(f"no {tool} on the PATH: CONTEXT={context} needs kubectl and helm, so install it")
    target = Target((), ("kubectl", f"--context={context}"), ("helm", f"--kube-context={context}"), context)
    known = target.run("kubectl", "config", "get-contexts", "--output=name").stdout.split()
    if context not in known:
        raise Refusal(f"CONTEXT={context}: the kubeconfig has no such context; it has: {', '.join(known) or 'none'}")
    answer = target.run(*target.kubectl, "version", f"--request-timeout={_ANSWER_SECONDS}s")
    if answer.returncode != 0:
        raise Refusal(f"CONTEXT={context}: its API server does not answer: {last_words(answer)}")
    return target
