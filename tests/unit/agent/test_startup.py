"""The stages of a start-up, and what they took."""

from stoker_runtime.agent.engine.health import Health, pause_seconds
from stoker_runtime.agent.landmarks import landmark
from stoker_runtime.agent.startup import Phase, Stage, StartUp


def test_each_stage_has_its_time_and_ready_is_all_of_it() -> None:
    start_up = StartUp(100.0)
    start_up.loads(101.0)
    start_up.passes(Stage.IMPORTS, 111.0)
    start_up.passes(Stage.WEIGHTS, 131.0)
    start_up.warms(161.0)
    start_up.is_ready(163.0)
    assert start_up.phase is Phase.READY
    assert start_up.stage_seconds == {
        Stage.PROCESS: 1.0,
        Stage.IMPORTS: 10.0,
        Stage.WEIGHTS: 20.0,
        Stage.ENGINE: 30.0,
        Stage.LOADING: 60.0,
        Stage.WARM_UP: 2.0,
        Stage.READY: 63.0,
    }


def test_of_an_engine_that_tells_no_stages_none_is_made_up() -> None:
    start_up = StartUp(0.0)
    start_up.loads(1.0)
    start_up.warms(11.0)
    assert start_up.stage_seconds == {Stage.PROCESS: 1.0, Stage.LOADING: 10.0}


def test_each_of_several_workers_tells_the_same_landmark_and_the_first_counts() -> None:
    start_up = StartUp(0.0)
    start_up.loads(0.0)
    for now in (10.0, 11.0, 12.0):
        start_up.passes(Stage.IMPORTS, now)
    start_up.passes(Stage.WEIGHTS, 30.0)
    assert start_up.stage_seconds == {Stage.PROCESS: 0.0, Stage.IMPORTS: 10.0, Stage.WEIGHTS: 20.0}


def test_an_engine_that_begins_anew_is_timed_anew() -> None:
    start_up = StartUp(0.0)
    start_up.loads(1.0)
    start_up.passes(Stage.IMPORTS, 4.0)
    start_up.warms(5.0)
    start_up.is_ready(5.0)
    start_up.loads(1000.0)
    assert start_up.phase is Phase.LOADING
    start_up.passes(Stage.IMPORTS, 1003.0)
    start_up.warms(1009.0)
    start_up.is_ready(1009.0)
    assert (start_up.stage_seconds[Stage.READY], start_up.stage_seconds[Stage.ENGINE]) == (9.0, 6.0)


def test_the_log_of_vllm_has_landmarks_and_those_of_others_have_none() -> None:
    line = b"(EngineCore pid=7) INFO 11-21 gpu_model_runner.py:1 Starting to load model /models/x...\n"
    assert landmark("vllm", line) is Stage.IMPORTS
    assert landmark("vllm", b"INFO Model loading took 14.99 GiB and 4.2 seconds\n") is Stage.WEIGHTS
    assert landmark("vllm", b"INFO Automatically detected platform cuda.\n") is None
    assert landmark("sglang", line) is None


def test_while_it_loads_the_engine_is_asked_often_and_then_rarely() -> None:
    assert pause_seconds(Health.GONE, 0, was_ready=False) == 0.25
    assert pause_seconds(Health.GONE, 100_000, was_ready=False) == 1.0
    assert pause_seconds(Health.GOOD, 3, was_ready=True) == 5.0
    assert pause_seconds(Health.BAD, 3, was_ready=True) == 1.0
