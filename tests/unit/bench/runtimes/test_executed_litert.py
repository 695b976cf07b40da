"""What LiteRT ran, by the operators and tensors that its interpreter lists."""

import pytest

pytest.importorskip("ai_edge_litert")

from bench.runtimes.executed_litert import RunOperator, RunTensor, executed_by, macs_of

# image, quantised image, weights, convolved, added, product's weights, product, dequantised product
TENSORS = {
    0: RunTensor("image", "float32", (1, 8, 8, 3), False),
    1: RunTensor("quantised", "int8", (1, 8, 8, 3), False),
    2: RunTensor("weights", "int8", (16, 3, 3, 3), True),
    3: RunTensor("features.0", "int8", (1, 6, 6, 16), False),
    4: RunTensor("added", "int8", (1, 6, 6, 16), False),
    5: RunTensor("linear.weight", "int8", (5, 576), True),
    6: RunTensor("linear", "int8", (1, 5), False),
    7: RunTensor("logits", "float32", (1, 5), False),
}
OWN = [
    RunOperator("QUANTIZE", (0,), (1,)),
    RunOperator("CONV_2D", (1, 2), (3,)),
    RunOperator("ADD", (3, 3), (4,)),
    RunOperator("FULLY_CONNECTED", (4, 5), (6,)),
    RunOperator("DEQUANTIZE", (6,), (7,)),
]


def test_operators_have_their_modules_name_their_precision_and_their_work() -> None:
    ran = executed_by([*OWN, RunOperator("DELEGATE", (0, 2, 5), (7,))], TENSORS)

    convolution, product = ran.operators
    assert (convolution.name, convolution.operation, convolution.precision) == (
        "features.0",
        "CONV_2D",
        "int8",
    )
    assert convolution.macs == 6 * 6 * 16 * 27
    assert (product.name, product.precision, product.macs) == ("linear", "int8", 5 * 576)
    assert (ran.quantise, ran.dequantise, ran.casts) == (1, 1, 0)


def test_all_operators_between_what_a_delegate_reads_and_gives_ran_in_it() -> None:
    ran = executed_by([*OWN, RunOperator("DELEGATE", (0, 2, 5), (7,))], TENSORS)

    assert ran.source == "LiteRT's graph, of which XNNPACK computes 5 of 5 operators"
    assert ran.unaccelerated == 0


def test_an_operator_between_two_delegates_ran_in_own_kernels() -> None:
    delegates = [RunOperator("DELEGATE", (0, 2), (3,)), RunOperator("DELEGATE", (4, 5), (7,))]

    ran = executed_by([*OWN, *delegates], TENSORS)

    assert "computes 4 of 5 operators" in ran.source
    assert ran.unaccelerated == 1


def test_without_a_delegate_every_operator_ran_in_own_kernels() -> None:
    assert executed_by(OWN, TENSORS).unaccelerated == len(OWN)


def test_floats_times_weights_of_8_bits_are_computed_in_int8_and_halves_are_not() -> None:
    tensors = {**TENSORS, 1: RunTensor("given", "float32", (1, 8, 8, 3), False)}
    dynamic = executed_by([RunOperator("CONV_2D", (1, 2), (3,))], tensors)
    halves = {
        **tensors,
        2: RunTensor("weights", "float32", (16, 3, 3, 3), False),
        8: RunTensor("weights_half", "float16", (16, 3, 3, 3), True),
    }
    half = executed_by([RunOperator("DEQUANTIZE", (8,), (2,)), RunOperator("CONV_2D", (1, 2), (3,))], halves)

    assert [each.precision for each in dynamic.operators] == ["int8"]
    assert [each.precision for each in half.operators] == ["fp32"]
    assert (half.casts, half.dequantise) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "inputs", "output", "expected"),
    [
        ("CONV_2D", [(1, 9, 9, 4), (8, 3, 3, 2)], (1, 7, 7, 8), 7 * 7 * 8 * 9 * 2),
        ("DEPTHWISE_CONV_2D", [(1, 9, 9, 4), (1, 3, 3, 8)], (1, 7, 7, 8), 7 * 7 * 8 * 9),
        ("TRANSPOSE_CONV", [(4,), (8, 2, 2, 4), (1, 5, 5, 4)], (1, 10, 10, 8), 5 * 5 * 4 * 2 * 2 * 8),
        ("FULLY_CONNECTED", [(2, 3, 7), (5, 7)], (2, 3, 5), 6 * 5 * 7),
        ("BATCH_MATMUL", [(2, 4, 7), (2, 7, 5)], (2, 4, 5), 2 * 4 * 5 * 7),
    ],
)
def test_multiply_accumulates_follow_from_the_shapes(
    kind: str, inputs: list[tuple[int, ...]], output: tuple[int, ...], expected: int
) -> None:
    assert macs_of(kind, inputs, output) == expected
