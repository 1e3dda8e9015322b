"""Lines of an engine's log that tell where its loading is."""

from stoker_runtime.agent.startup import Stage

# vLLM's model runner writes the first before it opens a weight file, the second when the model is on the device.
_VLLM = ((b"Starting to load model ", Stage.IMPORTS), (b"Model loading took ", Stage.WEIGHTS))
_BY_ENGINE = {"vllm": _VLLM}


def landmark(engine: str, output: bytes) -> Stage | None:
    """The stage that has ended when the engine wrote this."""
    return next((stage for mark, stage in _BY_ENGINE.get(engine, ()) if mark in output), None)
