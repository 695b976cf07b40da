"""Which operators of a LiteRT model int8 computes, and whose weights it takes."""

import pytest

pytest.importorskip("ai_edge_quantizer")

import numpy as np
from making.tflite_files import control

from export.tflite_int8 import in_int8
from export.tflite_model import TfliteModel, read_tflite


@pytest.fixture
def model() -> TfliteModel:
    return read_tflite(control().read_bytes())


def kinds(model: TfliteModel, positions: list[int]) -> set[str]:
    return {model.kind(position) for position in positions}


def test_layers_and_what_moves_their_values_are_computed_in_int8(model: TfliteModel) -> None:
    chosen = in_int8(model)

    assert set(model.layers()) <= set(chosen)
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN"} <= kinds(model, chosen)


def test_a_mean_that_pools_no_image_stays_in_fp32(model: TfliteModel) -> None:
    mean = next(position for position in range(len(model)) if model.kind(position) == "MEAN")
    model.put(model.inputs(mean)[1], np.array([3], dtype=np.int32))
    model.tensor(model.inputs(mean)[1]).shape = [1]

    assert mean not in in_int8(model)
