"""Ollama for the CPU, built from its Go module as one static program."""

import os
import shutil
import subprocess
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.cluster.toolchain import find_go
from e2e.images.llama_sources import unpack_llama_sources

PACKAGE = "github.com/ollama/ollama"
# Names are looked up in Go, and no library is loaded at run time.
TAGS = "netgo,osusergo"
LINKER = "-s -w -extldflags=-static"


def fill_context(context: Path, folder: Path) -> None:
    work = context.parent / "work"
    work.mkdir()
    # Go leaves folders named vendor out of modules: three libraries of headers, which llama.cpp carries too.
    headers = unpack_llama_sources(work) / "vendor"
    environment = os.environ | {
        "CGO_ENABLED": "1",
        "CGO_CFLAGS": "-O2 -g0",
        "CGO_CXXFLAGS": "-O1 -g0",
        "CGO_CPPFLAGS": f"-I{headers} -ffile-prefix-map={work}=.",
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
