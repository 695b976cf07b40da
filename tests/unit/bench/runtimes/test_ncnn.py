"""ncnn: what is read from its files, what runs, and what is said of files that do not fit together."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ncnn")

from making.ncnn_models import INT8_TAG, opened, raw, tagged, write_ncnn

from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from bench.runtimes.executed_ncnn import HALF_TAG, UnreadableModelError
from bench.runtimes.formats import FORMATS
from bench.runtimes.run_ncnn import describe, read_graph
from bench.runtimes.usage import RanAs

# 1 + 2^-13, which half precision rounds to 1.
NEARLY_ONE = 1 + 2**-13


def linear(folder: Path, weights: bytes) -> Path:
    """One layer of four inputs and one output."""
    return write_ncnn(folder, ["Input in0 0 1 in0", "InnerProduct head 1 1 in0 out0 0=1 1=0 2=4"], weights)


def test_fp32_is_not_rounded_to_half_on_any_cpu(tmp_path: Path) -> None:
    session = opened(linear(tmp_path, tagged([NEARLY_ONE, 0, 0, 0])))

    (output,) = session.infer([np.ones((1, 4), dtype=np.float32)])

    assert output.tolist() == [[np.float32(NEARLY_ONE)]]
    (operator,) = session.executed([np.ones((1, 4), dtype=np.float32)]).operators
    assert (operator.precision, operator.macs) == ("fp32", 4)


def test_half_precision_is_on_for_fp16_alone(tmp_path: Path) -> None:
    path = linear(tmp_path, tagged([1, 0, 0, 0]))
    names = ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage")

    on = {
        precision: [bool(getattr(opened(path, precision).net.opt, f"use_{name}")) for name in names]
        for precision in (Precision.FP32, Precision.FP16, Precision.INT8)
    }

    assert on[Precision.FP32] == on[Precision.INT8] == [False] * 5
    assert on[Precision.FP16] == [True] * 3 + [False] * 2


def test_outputs_come_by_their_numbers_and_a_batch_gives_what_its_items_give(tmp_path: Path) -> None:
    path = write_ncnn(
        tmp_path,
        [
            "Input in0 0 1 in0",
            "Split split 1 2 in0 a b",
            "BinaryOp more 1 1 b out10 0=0 1=1 2=10.0",
            "Split again 1 2 a c d",
            "BinaryOp twice 1 1 d out2 0=2 1=1 2=2.0",
            "ReLU relu 1 1 c out0",
        ],
    )
    items = np.random.default_rng(0).normal(size=(2, 3, 5, 5)).astype(np.float32)
    before = items.copy()
    session = opened(path)

    outputs = session.infer([items])
    single = [session.infer([items[index : index + 1]]) for index in range(2)]

    assert [tensor.name for tensor in describe(path).signature.outputs] == ["out0", "out2", "out10"]
    for output, expected in zip(outputs, (np.maximum(before, 0), 2 * before, before + 10), strict=True):
        np.testing.assert_allclose(output, expected, rtol=1e-6)
    for number in range(3):
        np.testing.assert_array_equal(outputs[number], np.concatenate([each[number] for each in single]))
    np.testing.assert_array_equal(items, before)


def test_an_input_may_lie_in_memory_in_any_order(tmp_path: Path) -> None:
    session = opened(write_ncnn(tmp_path, ["Input in0 0 1 in0", "ReLU relu 1 1 in0 out0"]))
    values = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)

    (output,) = session.infer([values.transpose(0, 1, 3, 2)])

    np.testing.assert_array_equal(output, values.transpose(0, 1, 3, 2))


def test_a_file_that_states_shapes_leaves_only_the_batch_open(tmp_path: Path) -> None:
    lines = ["Input image 0 1 image 0=7 1=5 2=3", "Input depth 0 1 depth 0=4 1=3 11=2 2=1", "Input x 0 1 x"]
    path = write_ncnn(tmp_path, [*lines, "Concat all 3 1 image depth x out0"])

    inputs = describe(path).signature.inputs

    assert [tensor.shape for tensor in inputs] == [("?", 3, 5, 7), ("?", 1, 2, 3, 4), None]


def test_what_chooses_rows_of_a_table_is_a_whole_number(tmp_path: Path) -> None:
    path = write_ncnn(
        tmp_path,
        ["Input in0 0 1 in0", "Embed table 1 1 in0 out0 0=2 1=3 2=0 3=6"],
        tagged([0, 1, 10, 11, 20, 21]),
    )

    (output,) = opened(path).infer([np.array([[2, 0]], dtype=np.int64)])

    assert describe(path).signature.inputs[0].dtype == "int32"
    assert output.tolist() == [[[20, 21], [0, 1]]]


CONVOLUTION = ["Input in0 0 1 in0", "Convolution conv 1 1 in0 out0 0=2 1=3 5=1 6=54"]


@pytest.mark.parametrize(
    ("weights", "settings", "precision"),
    [
        ([tagged(np.ones(54)), raw([0, 0])], "", Precision.FP32),
        ([tagged(np.ones(54), HALF_TAG), raw([0, 0])], "", Precision.FP16),
        ([tagged(np.ones(54), INT8_TAG), raw([0, 0]), raw([1, 1]), raw([1])], " 8=2", Precision.INT8),
    ],
    ids=lambda value: value.value if isinstance(value, Precision) else "",
)
def test_the_precision_is_that_of_the_file(
    tmp_path: Path, weights: list[bytes], settings: str, precision: Precision
) -> None:
    path = write_ncnn(tmp_path, [CONVOLUTION[0], CONVOLUTION[1] + settings], *weights)
    inputs = [np.ones((1, 3, 5, 5), dtype=np.float32)]

    executed = opened(path, precision).executed(inputs)

    assert describe(path).precision is precision
    assert executed.source.startswith("the file, not the run")
    assert [operator.macs for operator in executed.operators] == [9 * 54]
    if precision is Precision.INT8:
        assert executed.operators[0].precision == "int8"


@pytest.mark.parametrize(
    ("layer", "weights", "shape", "macs"),
    [
        # 4×4 outputs of 8 channels, each of 2 input channels × 3×3.
        ("ConvolutionDepthWise l 1 1 in0 out0 0=8 1=3 6=144 7=2", 144, (4, 6, 6), 4 * 4 * 8 * 18),
        # Each of 4×5×5 inputs is multiplied with 3 output channels × 3×3.
        ("DeconvolutionDepthWise l 1 1 in0 out0 0=6 1=3 3=2 6=108 7=2", 108, (4, 5, 5), 100 * 27),
        ("Convolution1D l 1 1 in0 out0 0=4 1=3 6=36", 36, (3, 9), 4 * 7 * 9),
        ("Gemm l 1 1 in0 out0 3=1 5=1 6=1 8=5 9=8 10=-1", 40, (7, 8), 7 * 5 * 8),
        ("MatMul l 2 1 a b out0 0=1", 0, (3, 4, 6), 3 * 4 * 4 * 6),
        ("SDPA l 3 1 a b c out0", 0, (2, 5, 4), 2 * 2 * 5 * 5 * 4),
        # Four projections of 5 tokens, 8 to 8, then the products of 5 with 5 tokens.
        ("MultiHeadAttention l 1 1 in0 out0 0=8 1=2 2=64", 4 * 64, (5, 8), 4 * 5 * 64 + 2 * 5 * 5 * 8),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
def test_multiply_accumulates_are_counted(
    tmp_path: Path, layer: str, weights: int, shape: tuple[int, ...], macs: int
) -> None:
    words = layer.split()
    several = [f"Split s 1 {words[2]} in0 {' '.join(words[4 : 4 + int(words[2])])}"]
    lines = ["Input in0 0 1 in0", *(several if words[2] != "1" else []), layer]
    is_attention = words[0] == "MultiHeadAttention"
    parts = [tagged(np.ones(64)), raw(np.ones(8))] * 4 if is_attention else [tagged(np.ones(weights))]
    path = write_ncnn(tmp_path, lines, *(parts if weights else []))

    graph = read_graph(path, [Tensor(name="in0", dtype="float32", shape=(1, *shape))])

    assert graph.macs == macs
    assert graph.uncounted == ()
    assert graph.parameters == weights + (32 if is_attention else 0)


@pytest.mark.parametrize(
    ("text", "weights", "complaint"),
    [
        ("Input in0 0 1 in0\nTensor.to to 1 1 in0 out0", b"", "kinds that ncnn lacks: Tensor.to"),
        ("Input in0 0 1", b"", "no whole network"),
        ("\n".join(CONVOLUTION), tagged(np.ones(54)), "ends before the weights of the layer conv"),
        (
            "\n".join(CONVOLUTION),
            tagged(np.ones(54)) + raw(range(5)),
            "has 240 bytes, but its layers have 228",
        ),
    ],
    ids=["unknown layer", "cut text", "cut weights", "weights of another model"],
)
def test_files_that_do_not_fit_together_are_refused(
    tmp_path: Path, text: str, weights: bytes, complaint: str
) -> None:
    path = write_ncnn(tmp_path, text.splitlines() if "conv" in text else ["ReLU r 0 0"], weights)
    if "conv" not in text:
        path.write_text(f"7767517\n2 2\n{text}\n")

    with pytest.raises(UnreadableModelError, match=complaint):
        describe(path)


def test_inputs_that_are_too_small_name_the_output_that_cannot_be_computed(tmp_path: Path) -> None:
    session = opened(write_ncnn(tmp_path, CONVOLUTION, tagged(np.ones(54)), raw([0, 0])))

    with pytest.raises(RuntimeError, match=r"cannot compute the output 'out0' .* or they need more memory"):
        session.infer([np.ones((1, 3, 2, 2), dtype=np.float32)])


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_the_lines_of_the_example_give_what_is_measured(tmp_path: Path, precision: Precision) -> None:
    path = linear(tmp_path, tagged([NEARLY_ONE, 2, 3, 4]))
    inputs = [np.array([[1, 0, 0, 2]], dtype=np.float32)]
    write = FORMATS["ncnn"].usage
    assert write is not None
    shape = Tensor(name="in0", dtype="float32", shape=(1, 4))
    usage = write(RanAs("cpu", "cpu", 1, precision, None, False, (shape,), gives_one_tensor=True))
    names: dict[str, Any] = {"HERE": tmp_path, "ENTRY": path.name, "inputs": inputs}

    exec(f"{usage.imports}\n{usage.load}\n{usage.infer}", names)

    np.testing.assert_array_equal(names["outputs"], opened(path, precision).infer(inputs))
