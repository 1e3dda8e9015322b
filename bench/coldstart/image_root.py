"""An image unpacked and mounted, so that its own Python runs on this machine without a container engine."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.cache import cache_folder

NOBODY = 65534


@dataclass(frozen=True)
class ImageRoot:
    folder: Path
    environment: dict[str, str]

    def command(self, arguments: list[str], environment: dict[str, str]) -> list[str]:
        """The command line that runs something inside as the image's user, with the image's environment and more."""
        given = [f"{name}={value}" for name, value in (self.environment | environment).items()]
        user = f"--userspec={NOBODY}:{NOBODY}"
        return ["chroot", user, str(self.folder), "env", "-i", "-C", "/tmp", *given, *arguments]  # noqa: S108 - in there


@contextmanager
def image_root(archive: Path, model: Path) -> Iterator[ImageRoot]:
    """With the model at /model and a /tmp in memory; in a mount namespace that ends with this process."""
    scratch = Path(tempfile.mkdtemp(prefix="coldstart-", dir=cache_folder()))
    buildah = ["buildah", "--root", f"{scratch}/root", "--runroot", f"{scratch}/run", "--storage-driver", "overlay"]
    try:
        container = _said([*buildah, "from", "--quiet", f"oci-archive:{archive}"])
        root = Path(_said([*buildah, "mount", container]))
        described = json.loads(_said([*buildah, "inspect", "--type", "container", container]))
        _mount_within(root, model)
        try:
            yield ImageRoot(root, dict(entry.split("=", 1) for entry in described["OCIv1"]["config"]["Env"]))
        finally:
            # The storage's own folder is a mount too, and would not go while it is one. Lazily: a process that was
            # killed a moment ago may still be about to let go of a file.
            for mounted in (root, scratch / "root" / "overlay"):
                subprocess.run(["umount", "--recursive", "--lazy", str(mounted)], check=False)
    finally:
        _remove(scratch)


def empty(folder: Path) -> None:
    """Of what the row before has left, its caches above all."""
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _remove(scratch: Path) -> None:
    """Never through a mount: behind one of them are this machine's own devices."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    if still := [point for point in points if point.startswith(f"{scratch}/")]:
        # Said and not raised: what ended the bench is said as well.
        print(f"bench.coldstart: {still[0]} is still mounted: unmount it, then remove {scratch}", file=sys.stderr)
        return
    shutil.rmtree(scratch, ignore_errors=True)


def _mount_within(root: Path, model: Path) -> None:
    for name in ("model", "proc", "sys", "dev"):
        (root / name).mkdir(exist_ok=True)
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")  # as a kubelet writes it
    _said(["mount", "--bind", "--options", "ro", str(model), str(root / "model")])
    _said(["mount", "--types", "proc", "proc", str(root / "proc")])
    _said(["mount", "--bind", "/sys", str(root / "sys")])  # vLLM reads the processor's cores there
    _said(["mount", "--rbind", "/dev", str(root / "dev")])
    _said(["mount", "--types", "tmpfs", "--options", "mode=1777", "tmpfs", str(root / "tmp")])


def _said(command: list[str]) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise SystemExit(f"bench.coldstart: {command[0]} failed: {answer.stderr.strip()[-300:]}")
    return answer.stdout.strip()
