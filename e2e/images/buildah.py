"""Run buildah with a storage of its own, in namespaces without network, so that nothing of the machine's is touched."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.refusal import Refusal


@dataclass(frozen=True)
class Buildah:
    storage: Path
    image: str

    def build(self, context: Path, reference: str, arguments: Iterable[tuple[str, str]]) -> None:
        given = [f"--build-arg={name}={value}" for name, value in arguments]
        # One fixed time for all files' layers keeps builds of equal inputs alike.
        flags = ["--isolation", "chroot", "--timestamp", "0", "--tag", reference, *given]
        self._run(["bud", *flags, str(context)])

    def push(self, reference: str, target: Path) -> None:
        # A third of gzip's time, here and again where the image is unpacked.
        self._run(["push", "--quiet", "--compression-format", "zstd", reference, f"oci-archive:{target}:{reference}"])

    def _run(self, arguments: list[str]) -> None:
        # Mounts end with the process, and a registry could not be reached by mistake.
        enter = ["unshare", "--mount", "--net", "--propagation", "private"]
        places = ["--root", str(self.storage / "root"), "--runroot", str(self.storage / "run")]
        command = [*enter, "buildah", *places, "--storage-driver", "overlay", *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            lines = [line for line in (answer.stderr or answer.stdout).splitlines() if line.strip()]
            raise Refusal(f"buildah cannot build the image {self.image}: {'; '.join(lines[-3:]) or 'nothing said'}")
