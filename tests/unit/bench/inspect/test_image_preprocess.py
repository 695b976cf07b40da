"""Which input takes images, and what to type for what nothing states."""

import json
from pathlib import Path

import pytest
import yaml
from making.classifier_file import write_classifier

from bench.bundle.model_files import ModelFile, read_model_file
from bench.bundle.sidecar import read_sidecar
from bench.bundle.signature import Tensor
from bench.inspect.image_preprocess import find_image_preprocess, preprocess_of
from bench.inspect.inspection import InspectedPreprocess


@pytest.fixture
def file(tmp_path: Path) -> ModelFile:
    return read_model_file(write_classifier(tmp_path / "model.onnx"))


def tensor(*shape: int | str, name: str = "x", dtype: str = "float32") -> Tensor:
    return Tensor(name=name, dtype=dtype, shape=shape)


def found_for(file: ModelFile, *inputs: Tensor) -> InspectedPreprocess:
    return preprocess_of(find_image_preprocess(file, inputs))


def sources(found: InspectedPreprocess) -> dict[str, str]:
    return {source.field: source.source for source in found.sources}


@pytest.mark.parametrize(
    "image",
    [
        tensor(1, 3, 32, 48),
        tensor(1, 1, 32, 48),
        tensor(1, 32, 48, 3),
        tensor("n", 3, "h", "w"),
        tensor("a", "b", "c", "d"),
    ],
    ids=lambda image: "x".join(map(str, image.shape)),
)
def test_what_is_to_be_typed_leaves_nothing_missing(file: ModelFile, image: Tensor) -> None:
    before = found_for(file, image)
    assert before.remedy is not None
    file.path.with_name("edgefit.yaml").write_text(before.remedy)

    after = found_for(file, image)

    assert (after.missing, after.remedy, after.conflicts) == ((), None, ())
    assert sources(after)["mean"] == "edgefit.yaml"
    assert read_sidecar(file.path.with_name("edgefit.yaml")).model is None


def test_a_stated_white_is_shown_with_its_source(file: ModelFile) -> None:
    file.path.with_name("edgefit.yaml").write_text("preprocess: {sixteen_bit_white: 4095}")

    found = found_for(file, tensor(1, 3, 32, 48))

    assert (found.values.sixteen_bit_white, sources(found)["sixteen_bit_white"]) == (4095, "edgefit.yaml")


def test_what_was_found_is_there_although_other_keys_are_missing(file: ModelFile) -> None:
    config = {"pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.1, 0.1, 0.1]}}
    file.path.with_name("config.json").write_text(json.dumps(config))

    found = found_for(file, tensor(1, 3, 32, 48))

    assert found.missing == ("resize",)
    assert found.values.input_size == (3, 32, 48)
    assert found.values.std == (0.1, 0.1, 0.1)
    assert found.channels == "rgb"
    assert yaml.safe_load(found.remedy or "").keys() == {"preprocess"}


def test_the_input_that_takes_images_is_the_one_that_a_sidecar_names_or_that_looks_like_one(
    file: ModelFile,
) -> None:
    inputs = (tensor(1, 7, 8, 9, name="state"), tensor(1, 3, 8, 9, name="a"), tensor(1, 3, 8, 9, name="b"))

    assert found_for(file, *inputs).input == "a"
    file.path.with_name("edgefit.yaml").write_text("input: {name: b}")
    assert found_for(file, *inputs).input == "b"


def test_a_model_without_an_image_input_misses_nothing(file: ModelFile) -> None:
    found = found_for(file, tensor(1, 10))

    assert (found.input, found.missing, found.remedy) == (None, (), None)


def test_an_image_with_a_number_of_channels_that_is_no_images_misses_nothing(file: ModelFile) -> None:
    assert found_for(file, tensor(1, 12, 32, 32)).missing == ()
