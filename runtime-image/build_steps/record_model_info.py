# ruff: noqa: INP001 - it runs inside the image
"""Let vLLM look at model classes once, so that no start has to: it keeps what it saw below VLLM_CACHE_ROOT."""

import os
import sys
from pathlib import Path


def main(classes: list[str]) -> None:
    if not classes:
        return
    from vllm.model_executor.models.registry import (  # type: ignore[import-not-found]  # noqa: PLC0415
        ModelRegistry,
    )

    for name in classes:
        if name not in ModelRegistry.models:
            sys.exit(f"this vLLM knows no model class {name!r}: leave it out of MODEL_CLASSES")
        ModelRegistry.models[name].inspect_model_cls()
        if not any(Path(os.environ["VLLM_CACHE_ROOT"], "modelinfos").glob(f"*-{name}.json")):
            sys.exit(f"vLLM kept no information on {name}: look where this version keeps it")
    print(f"recorded {len(classes)} model classes")


if __name__ == "__main__":
    main(sys.argv[1:])
