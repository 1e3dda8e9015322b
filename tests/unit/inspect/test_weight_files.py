"""Which files are the model."""

import pytest

from stoker_runtime.facts import Format
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.inspect.weight_files import weight_files


def refusal(*names: str) -> WeightsError:
    with pytest.raises(WeightsError) as refused:
        weight_files(names)
    return refused.value


def test_the_same_weights_in_the_publishers_own_layout_are_left_out() -> None:
    found = weight_files(["config.json", "consolidated.safetensors", "model-00001-of-00001.safetensors", "params.json"])
    assert found.names == ("model-00001-of-00001.safetensors",)


def test_consolidated_weights_are_the_model_where_there_are_no_others() -> None:
    assert weight_files(["config.json", "consolidated.safetensors"]).names == ("consolidated.safetensors",)


def test_parts_of_a_pipeline_in_folders_below_are_left_out() -> None:
    found = weight_files(["config.json", "model.safetensors", "2_Dense/model.safetensors", "onnx/model.onnx"])
    assert found.names == ("model.safetensors",)


def test_a_model_may_lie_in_a_folder() -> None:
    found = weight_files(["models/config.json", "models/model.safetensors", "README.md"])
    assert (found.base, found.names) == ("models/", ("models/model.safetensors",))


def test_a_missing_part_is_named() -> None:
    refused = refusal("config.json", "model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors")
    assert refused.reason is Reason.UNREADABLE
    assert "model-00002-of-00003.safetensors" in refused.message


def test_a_number_of_parts_beyond_reason_is_refused() -> None:
    assert refusal("model-00001-of-99999.safetensors").reason is Reason.UNREADABLE


def test_several_models_in_one_source_are_told_apart_by_nobody() -> None:
    refused = refusal("m-Q4_K_M.gguf", "m-Q8_0.gguf")
    assert "files.include" in refused.message


def test_a_projector_beside_a_model_is_no_second_model() -> None:
    found = weight_files(["m-Q4_K_M.gguf", "mmproj-m-f16.gguf"])
    assert (found.format, found.names, found.projector) == (Format.GGUF, ("m-Q4_K_M.gguf",), True)


def test_parts_of_a_split_gguf_may_lie_in_a_folder() -> None:
    found = weight_files(["Q4/m-00002-of-00002.gguf", "Q4/m-00001-of-00002.gguf"])
    assert found.names == ("Q4/m-00001-of-00002.gguf", "Q4/m-00002-of-00002.gguf")


def test_safetensors_come_before_pickle() -> None:
    assert weight_files(["config.json", "model.safetensors", "pytorch_model.bin"]).format is Format.SAFETENSORS
    found = weight_files(["config.json", "pytorch_model.bin", "training_args.bin"])
    assert (found.format, found.names) == (Format.PICKLE, ("pytorch_model.bin",))


@pytest.mark.parametrize("names", [(), ("README.md",), ("tokenizer.json", "config.json")])
def test_no_weights_are_said_to_be_none(names: tuple[str, ...]) -> None:
    assert refusal(*names).reason is Reason.NO_WEIGHTS


def test_an_adapter_and_a_pipeline_for_images_are_named_as_what_they_are() -> None:
    assert "adapter" in refusal("adapter_config.json", "adapter_model.safetensors").message
    assert "images" in refusal("model_index.json", "unet/model.safetensors").message
