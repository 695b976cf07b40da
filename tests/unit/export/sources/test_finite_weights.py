"""Weights that are not numbers are refused by name, whatever holds them."""

import numpy as np
import onnx
import openvino
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from bench.errors import InputError
from export.sources.finite_weights import of_network, of_onnx, of_openvino, refuse_not_finite


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["0.weight", "0.bias", "1.weight", "1.running_var"])
def test_a_weight_that_is_no_number_is_named(name: str, wrong: float) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network.state_dict()[name].view(-1)[2] = wrong

    with pytest.raises(InputError, match=rf"best\.pth: 1 of \d+ values of '{name}' are no finite numbers"):
        refuse_not_finite("best.pth", of_network(network))


def test_finite_weights_and_infinite_masks_pass() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network.register_buffer("mask", torch.full((2, 2), -torch.inf))
    network.register_parameter("ids", nn.Parameter(torch.zeros(2, dtype=torch.int64), requires_grad=False))

    refuse_not_finite("best.pth", of_network(network))


def conv_graph(weight: np.ndarray, mask: float = 0.0) -> onnx.GraphProto:
    return helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["convolved"]),
            helper.make_node("Add", ["convolved", "mask"], ["scores"]),
        ],
        "graph",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weight, "kernel"), numpy_helper.from_array(np.float32(mask), "mask")],
    )


def kernel(wrong: float | None = None) -> np.ndarray:
    weight: np.ndarray = np.ones((4, 3, 1, 1), np.float32)
    if wrong is not None:
        weight[1, 2] = wrong
    return weight


def test_the_weights_of_an_onnx_graph_are_checked_and_other_constants_are_not() -> None:
    refuse_not_finite("model.onnx", of_onnx(conv_graph(kernel(), mask=-np.inf)))

    with pytest.raises(InputError, match=r"model\.onnx: 1 of 12 values of 'kernel'"):
        refuse_not_finite("model.onnx", of_onnx(conv_graph(kernel(np.nan))))


def test_the_weights_in_the_body_of_a_branch_are_checked() -> None:
    body = conv_graph(kernel(np.inf))
    branch = helper.make_node("If", ["condition"], ["scores"], then_branch=body, else_branch=body)
    graph = helper.make_graph(
        [branch],
        "outer",
        [helper.make_tensor_value_info("condition", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)],
    )

    with pytest.raises(InputError, match="'kernel'"):
        refuse_not_finite("model.onnx", of_onnx(graph))


def test_the_weights_of_an_openvino_model_are_checked() -> None:
    def model(weight: np.ndarray) -> openvino.Model:
        layer = nn.Conv2d(3, 4, 1)
        layer.weight.data = torch.from_numpy(weight)
        return openvino.convert_model(layer, example_input=torch.zeros(1, 3, 8, 8))

    refuse_not_finite("model.xml", of_openvino(model(kernel())))
    with pytest.raises(InputError, match=r"model\.xml: 1 of 12 values of "):
        refuse_not_finite("model.xml", of_openvino(model(kernel(np.nan))))
