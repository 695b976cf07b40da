"""Weights put into an ONNX graph that was converted before."""

import numpy as np
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper

from export.onnx_weights import with_tensors

BEFORE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([1.0, 2.0])}
AFTER = {name: value + 10 for name, value in BEFORE.items()}


def graph(**stored: torch.Tensor) -> ModelProto:
    """Return a graph that stores tensors, whose names have __ for a dot."""
    initializers = [
        numpy_helper.from_array(value.numpy(), name.replace("__", ".")) for name, value in stored.items()
    ]
    return helper.make_model(helper.make_graph([], "network", [], [], initializers))


def values(model: ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_a_graph_gets_other_weights_and_the_first_stays() -> None:
    model = graph(a__weight=BEFORE["a.weight"], a__bias=BEFORE["a.bias"], eps=torch.tensor(1e-5))
    replaced = with_tensors(model, BEFORE, AFTER)

    assert replaced is not None
    assert np.array_equal(values(replaced)["a.weight"], AFTER["a.weight"].numpy())
    assert np.array_equal(values(replaced)["a.bias"], AFTER["a.bias"].numpy())
    assert np.array_equal(values(model)["a.weight"], BEFORE["a.weight"].numpy())


def test_a_matrix_that_the_graph_stores_transposed_stays_so() -> None:
    replaced = with_tensors(graph(a__weight=BEFORE["a.weight"].T, a__bias=BEFORE["a.bias"]), BEFORE, AFTER)

    assert replaced is not None
    assert np.array_equal(values(replaced)["a.weight"], AFTER["a.weight"].numpy().T)


def test_a_graph_with_what_was_computed_from_weights_is_made_again() -> None:
    own = {"a__weight": BEFORE["a.weight"], "a__bias": BEFORE["a.bias"]}
    computed = graph(**own, folded=2 * BEFORE["a.weight"])
    missing = graph(a__weight=BEFORE["a.weight"])
    changed = graph(**{**own, "a__bias": 2 * BEFORE["a.bias"]})
    constant = graph(**own)
    tensor = numpy_helper.from_array(np.ones((2, 3), dtype=np.float32), "ones")
    constant.graph.node.append(helper.make_node("Constant", [], ["ones"], value=tensor))

    assert [with_tensors(model, BEFORE, AFTER) for model in (computed, missing, changed, constant)] == [
        None
    ] * 4


def test_whole_numbers_and_single_values_do_not_depend_on_weights() -> None:
    shape = torch.tensor([1, -1])
    model = graph(a__weight=BEFORE["a.weight"], a__bias=BEFORE["a.bias"], shape=shape, six=torch.tensor(6.0))

    assert with_tensors(model, BEFORE, AFTER) is not None
    assert numpy_helper.to_array(model.graph.initializer[2]).tolist() == [1, -1]
    assert model.graph.initializer[3].data_type == TensorProto.FLOAT
