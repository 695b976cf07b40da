"""LiteRT files as they are changed: names, constants, weights in half, and the file that comes of it."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from ai_edge_litert.interpreter import Interpreter
from making.tflite_files import control

from bench.bundle.signature import Tensor
from export.tflite_model import TfliteModel, read_tflite

IMAGE = np.random.default_rng(0).random((1, 3, 96, 96), dtype=np.float32)


def answer(model: TfliteModel) -> np.ndarray:
    interpreter = Interpreter(model_content=model.content(), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], IMAGE)
    interpreter.invoke()
    values: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return values


@pytest.fixture
def model() -> TfliteModel:
    return read_tflite(control().read_bytes())


def test_what_is_read_and_written_again_answers_the_same(model: TfliteModel) -> None:
    again = read_tflite(model.content())

    assert np.array_equal(answer(again), answer(model))
    assert again.content() == read_tflite(again.content()).content()


def test_weights_that_are_replaced_change_the_answer_and_leave_no_old_ones(model: TfliteModel) -> None:
    before, size = answer(model), len(model.content())
    for position in list(model.layers()):
        model.put(model.inputs(position)[1], model.weight(position) / 2)

    assert not np.allclose(answer(model), before)
    assert len(model.content()) < 1.5 * size


def test_a_layer_without_a_bias_gets_one(model: TfliteModel) -> None:
    last = list(model.layers())[-1]
    before = answer(model)
    model.graph.operators[last].inputs = [*model.inputs(last)[:2], -1]
    without = answer(model)
    model.put_bias(last, np.array([3.0, -3.0], dtype=np.float32))

    assert model.bias(last) is not None
    assert not np.allclose(without, before)
    assert np.allclose(answer(model) - without, [3, -3], atol=1e-3)


def test_weights_in_half_answer_nearly_the_same_in_a_smaller_file(model: TfliteModel) -> None:
    before, size = answer(model), len(model.content())
    halves = {
        position: model.weight_as_torch(position).astype(np.float16)
        for position in model.layers()
        if not model.is_depthwise(position)
    }

    model.halve(halves)

    assert np.allclose(answer(model), before, rtol=1e-2)
    assert len(model.content()) < 0.7 * size


def test_ends_have_the_names_that_they_are_given(model: TfliteModel) -> None:
    model.name_ends(
        [Tensor(name="picture", dtype="float32", shape=(1, 3, 96, 96))],
        [Tensor(name="scores", dtype="float32", shape=(1, 2))],
    )

    interpreter = Interpreter(model_content=model.content())
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["picture"], "outputs": ["scores"]}
    }
    assert interpreter.get_input_details()[0]["name"] == "picture"
