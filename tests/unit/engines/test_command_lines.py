"""The command line of each engine and setting, held against files that say where its flags were looked up."""

import pytest

from stoker.api.v1alpha1.engine import EngineName
from stoker.api.v1alpha1.engine_flags import FLAGS_NO_FIELD
from stoker.engines import PROFILES
from tests.unit.engines.golden import CASES, FOLDER, engine_of, mounted_in, rendered
from tests.unit.engines.specs import mounted, server

# What Stoker sets for good behaviour, and a user may set otherwise: the last one wins.
_FREE = {
    "vllm": {"--disable-access-log-for-endpoints", "--distributed-executor-backend"},
    "sglang": {"--device"},
    "llamacpp": {"--n-gpu-layers", "--fit", "--no-webui", "--offline", "--mmproj"},
    "transformers": {"--device", "--continuous-batching"},
    "exllamav2": {"--use-dummy-models", "--dummy-model-names"},
    "simulated": {"--host", "--served-model-name", "--context-length", "--max-concurrency", "--shutdown-timeout"},
}


@pytest.mark.parametrize("case", CASES)
def test_a_server_is_what_its_golden_file_says(case: str) -> None:
    assert rendered(case) == (FOLDER / f"{case}.txt").read_text()


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(CASES)


def test_every_engine_has_a_profile_and_a_golden_file() -> None:
    assert set(PROFILES) == set(EngineName) == {engine_of(case) for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_flags_that_stoker_sets_are_refused_among_the_arguments(case: str) -> None:
    engine = engine_of(case)
    changes = {name: value for name, value in CASES[case][0].items() if name != "args"}
    made = server(engine, mounted_in(case), **changes)
    words = [*made.args, *(made.worker.args if made.worker else ())]
    names = {word.split("=")[0].replace("_", "-") for word in words if word.startswith("--")}
    assert names - _FREE.get(engine, set()) <= set(FLAGS_NO_FIELD.get(engine, ()))


@pytest.mark.parametrize("engine", [name for name in EngineName if name is not EngineName.CUSTOM])
def test_behind_an_agent_nobody_else_reaches_the_engine(engine: str) -> None:
    made = server(engine)
    told = " ".join([*made.args, *(f"{name}={value}" for name, value in made.env.items())])
    assert made.port == 8100
    assert "8100" in told
    assert "127.0.0.1" in told
    assert "0.0.0.0" not in told  # noqa: S104 - it is looked for


@pytest.mark.parametrize("engine", [name for name in EngineName if name not in ("simulated", "custom")])
def test_engines_are_told_to_stay_offline_and_to_report_to_nobody(engine: str) -> None:
    env = server(engine, mounted(files=("a.gguf",)) if engine == "llamacpp" else None).env
    if engine == "llamacpp":
        assert "--offline" in server(engine).args
    else:
        assert env["DO_NOT_TRACK"] == "1"
