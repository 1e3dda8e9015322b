"""llama.cpp's server for the CPU, built from source as one static program."""

import os
import shutil
import subprocess
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.images.llama_sources import unpack_llama_sources

# Whatever the processor of the machine that builds is, the program needs AVX2 and no more.
SETTINGS = (
    "CMAKE_BUILD_TYPE=Release",
    # The tiny model needs no speed, and whoever runs the tests does.
    "CMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG",
    "CMAKE_EXE_LINKER_FLAGS=-static",
    "BUILD_SHARED_LIBS=OFF",
    "GGML_NATIVE=OFF",
    "GGML_OPENMP=OFF",
    "GGML_CCACHE=OFF",
    "LLAMA_OPENSSL=OFF",
    "LLAMA_BUILD_TESTS=OFF",
    "LLAMA_BUILD_EXAMPLES=OFF",
    "LLAMA_BUILD_APP=OFF",
    "LLAMA_BUILD_UI=OFF",
    "LLAMA_USE_PREBUILT_UI=OFF",
)


def fill_context(context: Path, folder: Path) -> None:  # noqa: ARG001 - all images are filled alike
    work = context.parent / "work"
    work.mkdir()
    sources = unpack_llama_sources(work)
    build = work / "build"
    # Assertions name their file, and the folder is another each time.
    unnamed = [f"CMAKE_{language}_FLAGS=-ffile-prefix-map={work}=." for language in ("C", "CXX")]
    settings = [f"-D{setting}" for setting in (*SETTINGS, *unnamed)]
    _run(["cmake", "-G", "Ninja", "-S", str(sources), "-B", str(build), *settings])
    _run(["cmake", "--build", str(build), "--target", "llama-server"])
    shutil.copy(build / "bin" / "llama-server", context / "llama-server")
    subprocess.run(["strip", str(context / "llama-server")], check=True)
    shutil.rmtree(work)


def _run(command: list[str]) -> None:
    # A repository around the cache has no say in the version that is built in.
    environment = os.environ | {"GIT_DIR": os.devnull}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if answer.returncode != 0:
        lines = [line for line in (answer.stdout + answer.stderr).splitlines() if "error" in line.lower()]
        raise Refusal(f"cmake cannot build llama-server: {'; '.join(lines[:3]) or answer.stderr[-300:]}")
