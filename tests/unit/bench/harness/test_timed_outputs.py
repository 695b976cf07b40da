"""How far a timed inference's outputs are from those of the accuracy pass."""

import pytest

from bench.harness.timed_outputs import ExpectedOutputs, is_repeatable, values_kept
from bench.harness.worker_messages import KeptOutputs, OutputsToKeep
from bench.measurements import OutputValues


def output(*values: tuple[float, ...], name: str = "logits") -> OutputValues:
    return OutputValues(name=name, shape=None, classes=None, values=values)


def expected(*outputs: OutputValues) -> ExpectedOutputs:
    return ExpectedOutputs(outputs, OutputsToKeep())


def kept(*outputs: OutputValues, number: int = 0) -> KeptOutputs:
    return KeptOutputs(input=number, outputs=outputs)


LOGITS = output((1.0, -4.0), (2.0, 3.0))


@pytest.mark.parametrize(
    ("given", "number", "difference"),
    [
        ((1.0, -4.0), 0, 0.0),
        ((2.0, 3.0), 1, 0.0),
        ((0.0, 0.0), 0, 1.0),
        ((1.0, -4.0), 1, 1.75),
        ((1.0, -4.004), 0, 0.001),
        ((1.0,), 0, 1.0),
    ],
)
def test_the_difference_is_a_share_of_the_largest_value_of_all_inputs(
    given: tuple[float, ...], number: int, difference: float
) -> None:
    found = expected(LOGITS).difference(kept(output(given), number=number))

    assert found == pytest.approx(difference)


def test_the_worst_output_counts_and_each_has_its_own_scale() -> None:
    boxes, scores = output((100.0, 200.0), name="boxes"), output((0.1,), name="scores")
    timed = kept(output((101.0, 200.0), name="boxes"), output((0.05,), name="scores"))

    assert expected(boxes, scores).difference(timed) == pytest.approx(0.5)


def test_an_output_of_zeros_has_to_stay_one() -> None:
    zeros = expected(output((0.0, 0.0)))

    assert zeros.difference(kept(output((0.0, 0.0)))) == 0
    assert zeros.difference(kept(output((0.0, 1e-9)))) == 1


def test_without_a_counterpart_nothing_is_compared() -> None:
    assert expected(LOGITS).difference(kept(output((1.0,), name="other"))) is None
    assert expected(LOGITS).difference(kept(LOGITS, number=7)) is None
    assert expected().difference(kept(LOGITS)) is None


def test_a_file_is_repeatable_if_its_untimed_outputs_are_equal_but_for_rounding() -> None:
    one, same, other = ((1.0, 2.0), (1.0, 2.001), (1.0, 2.5))

    assert is_repeatable([kept(output(values), number=3) for values in (one, same, one)])
    assert not is_repeatable([kept(output(values), number=3) for values in (one, same, other)])


def test_of_a_large_output_a_sample_is_kept() -> None:
    assert values_kept(8) == 2048
    assert values_kept(1 << 20) == 1
