# ruff: noqa: INP001 - it runs inside the image
"""Compile every module on Python's path whose byte code is missing or would be checked against its source.

Nothing in an image changes, so no start has to check; and a root that is read-only would never get what is missing.
"""

import importlib.util
import os
import py_compile
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH
UNCHECKED_FLAGS = (0b01).to_bytes(4, "little")  # as PEP 552 writes it down


def compiled(source: Path) -> bool:
    """Whether it could be: some packages carry a file for another version of Python."""
    try:
        py_compile.compile(str(source), doraise=True, invalidation_mode=UNCHECKED)
    except (py_compile.PyCompileError, OSError, ValueError):
        return False
    return True


def trusted(source: Path) -> bool:
    """Whether Python would load its byte code without a look at the source."""
    try:
        with Path(importlib.util.cache_from_source(str(source))).open("rb") as file:
            head = file.read(8)
    except OSError:
        return False
    return head == importlib.util.MAGIC_NUMBER + UNCHECKED_FLAGS


def main() -> None:
    folders = {Path(entry).resolve() for entry in sys.path[1:] if Path(entry).is_dir()}
    sources = sorted({source for folder in folders for source in folder.rglob("*.py") if not trusted(source)})
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(compiled, sources, chunksize=64))
    refused = [str(source) for source, done in zip(sources, outcomes, strict=True) if not done]
    print(f"compiled {len(sources) - len(refused)} modules, {len(refused)} could not be: {' '.join(refused[:5])}")


if __name__ == "__main__":
    main()
