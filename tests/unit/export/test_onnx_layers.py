"""What an ONNX graph is before formats are made of it, and the torch network of the same layers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from making import onnx_models, onnx_sources
from onnx import helper

from bench.bundle.signature import Inputs, Tensor, with_shapes
from bench.bundle.tensor_pack import random_pack
from bench.runtimes.run_onnx import describe
from export.onnx_weights import with_weights
from export.sources.onnx_file import OnnxFileSource
from export.sources.onnx_layers import readable_name, weights_of
from export.sources.source import NotLayeredError

IMAGES = 3


def opened(path: Path) -> tuple[OnnxFileSource, tuple[Tensor, ...]]:
    signature = describe(path).signature
    inputs = with_shapes(path.name, signature.inputs, {})
    fixed = [
        tensor.model_copy(
            update={"shape": tuple(1 if isinstance(size, str) else size for size in tensor.shape)}
        )
        for tensor in signature.outputs
        if tensor.shape is not None
    ]
    return OnnxFileSource(path, inputs, fixed), inputs


def by_onnxruntime(model: Path | bytes, images: list[Inputs]) -> list[np.ndarray]:
    """Return each output for all images, joined along the first axis."""
    session = onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model), providers=["CPUExecutionProvider"]
    )
    (name,) = [value.name for value in session.get_inputs()]
    results = [session.run(None, {name: image[0]}) for image in images]
    return [np.concatenate(outputs) for outputs in zip(*results, strict=True)]


def some_images(inputs: tuple[Tensor, ...]) -> list[Inputs]:
    return [random_pack(inputs).inputs(index) for index in range(IMAGES)]


SOURCES: dict[str, Callable[[Path], Path]] = {
    "residual": onnx_sources.residual,
    "keras": onnx_sources.keras_like,
    "cast": lambda path: onnx_models.cast_classifier(path, onnx.TensorProto.UINT8),
    "listed weights": onnx_models.listed_weights,
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_network_gives_the_outputs_of_the_file_for_several_images_at_once(
    name: str, tmp_path: Path
) -> None:
    path = SOURCES[name](tmp_path / "model.onnx")
    source, inputs = opened(path)
    images = some_images(inputs)
    batch = torch.from_numpy(np.concatenate([image[0] for image in images]))

    values = source.layered()(batch)

    outputs = values if isinstance(values, tuple) else (values,)
    for value, expected in zip(outputs, by_onnxruntime(path, images), strict=True):
        np.testing.assert_allclose(value.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SOURCES)
def test_the_prepared_graph_names_everything_once_and_gives_the_same_outputs(
    name: str, tmp_path: Path
) -> None:
    path = SOURCES[name](tmp_path / "model.onnx")
    source, inputs = opened(path)
    model = source.base().model
    graph = model.graph
    names = [node.name for node in graph.node]
    values = [tensor.name for tensor in (*graph.initializer, *graph.input)]
    values += [output for node in graph.node for output in node.output]

    onnx.checker.check_model(model, full_check=True)
    assert all(names)
    assert len(set(names)) == len(names)
    assert len(set(values)) == len(values)
    images = some_images(inputs)
    for value, expected in zip(
        by_onnxruntime(model.SerializeToString(), images), by_onnxruntime(path, images), strict=True
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


def test_every_layer_has_weights_and_a_bias_of_its_own_and_batch_norms_are_gone(tmp_path: Path) -> None:
    source, _ = opened(onnx_sources.residual(tmp_path / "model.onnx", opset=11))
    base = source.base()
    weights = weights_of(base.model)

    layers = ["stem", "depthwise", "pointwise", "classifier.1"]
    assert set(weights) >= {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    assert [name for name, module in source.layered().named_modules() if hasattr(module, "bias")] == layers
    assert weights["classifier.1.weight"].shape == (3, 8)  # as torch has it
    assert "BatchNormalization" not in {node.op_type for node in base.model.graph.node}
    assert [opset.version for opset in base.model.opset_import if opset.domain == ""] == [13]


def test_a_product_keeps_its_layout_and_its_bias_is_added_behind_it(tmp_path: Path) -> None:
    source, _ = opened(onnx_models.listed_weights(tmp_path / "model.onnx"))
    base = source.base()

    assert base.transposed
    (layer,) = base.transposed
    assert [node.op_type for node in base.model.graph.node].count("Add") == 1
    assert not weights_of(base.model)[f"{layer}.bias"].any()


@pytest.mark.parametrize("name", ["residual", "keras"])
def test_corrected_weights_return_to_the_graph(name: str, tmp_path: Path) -> None:
    source, inputs = opened(SOURCES[name](tmp_path / "model.onnx"))
    network = source.layered()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.5)
    images = some_images(inputs)
    batch = torch.from_numpy(np.concatenate([image[0] for image in images]))

    changed = with_weights(source.base(), network)

    values = network(batch)
    for value, expected in zip(
        values if isinstance(values, tuple) else (values,),
        by_onnxruntime(changed.SerializeToString(), images),
        strict=True,
    ):
        np.testing.assert_allclose(value.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (onnx_models.with_branches, r"control flow \(If\)"),
        (onnx_models.several, "has 2 inputs"),
        (onnx_models.non_zero, "NonZero, depends on the image"),
        (onnx_models.sequence_output, "is no tensor"),
        (onnx_models.recurrent, "no convolution"),
        (onnx_sources.quantised, "in int8 already"),
    ],
)
def test_a_graph_that_is_no_network_of_layers_says_why(
    write: Callable[[Path], Path], reason: str, tmp_path: Path
) -> None:
    source, _ = opened(write(tmp_path / "model.onnx"))

    with pytest.raises(NotLayeredError, match=reason):
        source.layered()


def test_training_does_not_pass_through_an_operator_that_torch_lacks(tmp_path: Path) -> None:
    source, inputs = opened(onnx_sources.keras_like(tmp_path / "model.onnx"))
    network = source.layered().requires_grad_(True)

    with pytest.raises(NotLayeredError, match="operator LRN; leave --qat out"):
        network(torch.from_numpy(some_images(inputs)[0][0]))


@pytest.mark.parametrize(
    ("name", "weight", "expected"),
    [
        ("/layer1/layer1.0/conv1/Conv", "onnx::Conv_193", "layer1.0.conv1"),
        ("/features/features.0/features.0.0/Conv", "onnx::Conv_421", "features.0.0"),
        ("node_Conv_506", "features.0.0.weight", "features.0.0"),
        ("n0", "ConvMulFusion_W_ConvBnFusion_W_conv1.weight_token_66", "conv1"),
        ("model/conv2d/Conv2D", "w", "model.conv2d.Conv2D"),
        ("Schicht 1: Faltung", "w", "Schicht_1_Faltung"),
        ("/Conv", "w", "Conv"),
        ("", "training.weight", "layer_training"),
    ],
)
def test_layers_have_readable_names(name: str, weight: str, expected: str) -> None:
    assert readable_name(helper.make_node("Conv", ["x", weight], ["y"], name)) == expected
