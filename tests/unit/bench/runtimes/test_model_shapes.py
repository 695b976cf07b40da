"""Models of every shape run in their runtimes: onnxruntime, and OpenVINO where it converts them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import openvino
import pytest
from making import onnx_models as onnx_models
from making.running_models import RanModel, run_model
from onnx import TensorProto

from bench.bundle.variants import Precision
from bench.errors import InputError

RUNTIMES = ("onnx", "openvino")

# Input shapes, output shapes and whether the first output has classes.
CLASSIFIERS: dict[str, tuple[Callable[[Path], Path], list[int], list[int], bool]] = {
    "a thousand classes": (
        lambda path: onnx_models.classifier(path, classes=1000),
        [1, 3, 8, 8],
        [1, 1000],
        True,
    ),
    "grey and not square": (
        lambda path: onnx_models.classifier(path, (1, 1, 7, 9)),
        [1, 1, 7, 9],
        [1, 5],
        True,
    ),
    "four channels": (lambda path: onnx_models.classifier(path, (1, 4, 7, 9)), [1, 4, 7, 9], [1, 5], True),
    "a batch of eight": (
        lambda path: onnx_models.classifier(path, (8, 3, 8, 8), batch=8),
        [8, 3, 8, 8],
        [8, 5],
        True,
    ),
    "a symbolic batch": (
        lambda path: onnx_models.classifier(path, ("N", 3, 8, 8), batch="N"),
        [1, 3, 8, 8],
        [1, 5],
        True,
    ),
    "a softmax": (lambda path: onnx_models.classifier(path, end="Softmax"), [1, 3, 8, 8], [1, 5], True),
    "one logit": (lambda path: onnx_models.classifier(path, classes=1), [1, 3, 8, 8], [1, 1], False),
    "a sigmoid": (
        lambda path: onnx_models.classifier(path, classes=1, end="Sigmoid"),
        [1, 3, 8, 8],
        [1, 1],
        False,
    ),
    "[1, classes, 1, 1]": (
        lambda path: onnx_models.cast_classifier(path, TensorProto.UINT8),
        [1, 6, 10, 3],
        [1, 4, 1, 1],
        True,
    ),
}
TYPES = {
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "uint16": TensorProto.UINT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
}


def in_runtime(path: Path, runtime: str) -> Path:
    """Return an ONNX file in a runtime's own format."""
    if runtime == "onnx":
        return path
    converted = path.with_suffix(".xml")
    openvino.save_model(openvino.convert_model(str(path)), converted, compress_to_fp16=False)
    return converted


def ran(make: Callable[[Path], Path], tmp_path: Path, runtime: str) -> RanModel:
    return run_model(in_runtime(make(tmp_path / "model.onnx"), runtime))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_classifier_has_the_shapes_and_classes_of_its_file(kind: str, runtime: str, tmp_path: Path) -> None:
    make, taken, given, has_classes = CLASSIFIERS[kind]

    model = ran(make, tmp_path, runtime)

    assert [list(tensor.sizes) for tensor in model.inputs] == [taken]
    assert [output.shape for output in model.outputs] == [tuple(given)]
    assert (model.outputs[0].classes is not None) == has_classes


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("dtype", TYPES)
def test_an_nhwc_input_of_any_type_is_given_that_type(dtype: str, runtime: str, tmp_path: Path) -> None:
    model = ran(lambda path: onnx_models.cast_classifier(path, TYPES[dtype]), tmp_path, runtime)

    assert [(tensor.dtype, tensor.layout) for tensor in model.inputs] == [(dtype, "NHWC")]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_several_inputs_and_outputs_are_all_given_and_kept(runtime: str, tmp_path: Path) -> None:
    model = ran(onnx_models.several, tmp_path, runtime)

    assert [(tensor.name, tensor.dtype) for tensor in model.inputs] == [("ids", "int64"), ("mask", "float32")]
    assert [(output.name, output.shape) for output in model.outputs] == [
        ("masked", (1, 4, 6)),
        ("logits", (1, 4, 3)),
        ("total", ()),
    ]
    assert len(model.outputs[2].values[0]) == 1


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        (onnx_models.listed_weights, [(1, 3)]),
        (onnx_models.with_branches, [(1, 3)]),
        (onnx_models.with_loop, [(1, 2), (3, 1, 2)]),
        (onnx_models.nothing_found, [(2, 0)]),
        (onnx_models.non_zero, [None]),
        (onnx_models.without_inputs, [(1, 3)]),
        (onnx_models.empty_input, [(0, 3)]),
        (onnx_models.recurrent, [(5, 1, 1, 4)]),
    ],
)
def test_unusual_graphs_run(
    make: Callable[[Path], Path], shapes: Sequence[tuple[int, ...] | None], runtime: str, tmp_path: Path
) -> None:
    model = ran(make, tmp_path, runtime)

    assert [output.shape for output in model.outputs] == shapes


def test_weights_that_a_file_lists_are_no_inputs(tmp_path: Path) -> None:
    model = ran(onnx_models.listed_weights, tmp_path, "onnx")

    assert [tensor.name for tensor in model.inputs] == ["x"]


def test_an_output_whose_shape_differs_keeps_as_many_values_as_there_are(tmp_path: Path) -> None:
    model = ran(onnx_models.non_zero, tmp_path, "onnx")

    counts = [len(values) for values in model.outputs[0].values]
    assert counts == [output[0].size for output in model.inferences]
    assert len(set(counts)) > 1


def test_strings_sequences_and_absent_values_are_left_out_and_maps_of_scores_kept(tmp_path: Path) -> None:
    scores = ran(onnx_models.zip_map, tmp_path, "onnx").outputs
    sequence = ran(onnx_models.sequence_output, tmp_path, "onnx").outputs
    optional = ran(onnx_models.optional_output, tmp_path, "onnx").outputs

    assert [(output.name, output.shape) for output in scores] == [("probabilities", (1, 2))]
    assert sum(scores[0].values[0]) == pytest.approx(1)
    assert [output.name for output in sequence] == ["y"]
    assert [output.name for output in optional] == ["maybe", "y"]


def test_values_that_are_not_finite_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"in the output 'y': 4 of 4 are infinite; .*--data"):
        ran(onnx_models.not_finite, tmp_path, "onnx")


@pytest.mark.parametrize(
    ("make", "word"), [(onnx_models.text_input, "str"), (onnx_models.bfloat16_input, "bfloat16")]
)
def test_an_input_of_a_type_that_numpy_lacks_is_refused_by_its_name(
    make: Callable[[Path], Path], word: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=rf"^model.onnx: the input 'x' takes {word}; edgefit gives"):
        ran(make, tmp_path, "onnx")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("make", "macs"),
    [
        (lambda path: onnx_models.convolution(path, (1, 3, 9), (3,)), 7 * 4 * 9),
        (lambda path: onnx_models.convolution(path, (1, 2, 5, 5, 5), (3, 3, 3)), 27 * 4 * 54),
        (lambda path: onnx_models.convolution(path, (1, 4, 8, 8), (3, 3), group=2), 36 * 4 * 18),
        (onnx_models.transposed_convolution, 3 * 16 * 20),
        (onnx_models.transposed_gemm, 2 * 6 * 3),
        (onnx_models.batched_product, 2 * 4 * 8 * 4),
        (onnx_models.vector_product, 6),
        (onnx_models.dynamic_weights, 36 * 4 * 27 + 4 * 2),
        (onnx_models.empty_input, 0),
        (onnx_models.constant_product, 0),
    ],
)
def test_the_proof_counts_the_work_of_unusual_operators(
    make: Callable[[Path], Path], macs: int, runtime: str, tmp_path: Path
) -> None:
    model = ran(make, tmp_path, runtime)

    assert sum(count or 0 for count in model.macs) == macs
    assert None not in model.macs


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_work_that_depends_on_the_data_is_that_of_one_inference(runtime: str, tmp_path: Path) -> None:
    model = ran(onnx_models.product_of_what_is_found, tmp_path, runtime)

    assert model.macs[0] in {inference[0].shape[0] * 2 * 3 for inference in model.inferences}


def test_a_product_of_integers_with_computed_scales_ran_in_int8(tmp_path: Path) -> None:
    model = ran(onnx_models.dynamic_quantised, tmp_path, "onnx")

    assert [operator.precision for operator in model.executed.operators] == ["int8"]


def test_double_precision_is_named_like_the_others(tmp_path: Path) -> None:
    model = ran(onnx_models.float64_classifier, tmp_path, "onnx")

    assert [operator.precision for operator in model.executed.operators] == ["fp64"]


def test_a_half_precision_network_takes_and_gives_half_precision(tmp_path: Path) -> None:
    model = ran(onnx_models.float16_classifier, tmp_path, "onnx")

    assert [tensor.dtype for tensor in model.inputs] == ["float16"]
    assert model.inferences[0][0].dtype == "float16"
    assert model.description.precision is Precision.FP16


def test_a_file_with_integer_products_is_called_int8(tmp_path: Path) -> None:
    assert ran(onnx_models.dynamic_quantised, tmp_path, "onnx").description.precision is Precision.INT8
