"""Ollama for the CPU, built from its Go module as one static program."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from e2e.cluster.cache import cache_folder
from e2e.cluster.refusal import Refusal
from e2e.cluster.toolchain import find_go
from e2e.images.llama_sources import unpack_llama_sources

PACKAGE = "github.com/ollama/ollama"
# Names are looked up in Go, and no library is loaded at run time.
TAGS = "netgo,osusergo"
LINKER = "-s -w -extldflags=-static"


def fill_context(context: Path, folder: Path) -> None:
    headers = _headers()
    environment = os.environ | {
        "CGO_ENABLED": "1",
        # The tiny model needs no speed, and whoever runs the tests does.
        "CGO_CFLAGS": "-O1 -g0 -pipe",
        "CGO_CXXFLAGS": "-O0 -g0 -pipe",
        "CGO_CPPFLAGS": f"-I{headers} -ffile-prefix-map={headers}=.",
        "GOFLAGS": "",
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
    }
    shutil.copy(shutil.which("busybox") or "/bin/busybox", context / "busybox")
    flags = ["-trimpath", "-tags", TAGS, "-ldflags", LINKER, "-o", str(context / "ollama")]
    command = [str(find_go().executable), "build", *flags, PACKAGE]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    if answer.returncode != 0:
        lines = [line for line in answer.stderr.splitlines() if "error" in line.lower()] or answer.stderr.splitlines()
        raise Refusal(f"Go cannot build Ollama: {'; '.join(lines[:3]) or 'nothing said'}")


def _headers() -> Path:
    """Go leaves folders named vendor out of modules: three libraries of headers, which llama.cpp carries too. Always at
    the same place, since what Go has compiled is found again by the flags that it was compiled with."""
    folder = cache_folder().absolute() / "images" / "ollama-headers"
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        shutil.copytree(unpack_llama_sources(Path(work)) / "vendor", folder)
    return folder
