"""Outputs of two model files on the same inputs are compared."""

import math

import pytest

from bench.measurements import OutputValues
from bench.report.outputs import compare_outputs


def output(
    *values: tuple[float, ...],
    name: str = "y",
    shape: tuple[int, ...] | None = (1, 2),
    classes: tuple[int, ...] | None = None,
) -> OutputValues:
    return OutputValues(name=name, shape=shape, classes=classes, values=values)


def test_equal_outputs_agree_in_everything() -> None:
    same = output((1.0, 2.0), (4.0, 3.0), classes=(1, 0))

    (compared,) = compare_outputs([same], [same], "a.onnx").outputs

    assert (compared.items, compared.agreement) == (2, 1.0)
    assert compared.cosine == pytest.approx(1)
    assert compared.sqnr_db is None
    assert compared.largest_difference == 0


def test_agreement_is_the_share_of_items_with_the_same_class() -> None:
    ours, theirs = (
        output((1.0, 2.0), (4.0, 3.0), classes=(1, 0)),
        output((1.0, 2.0), (3.0, 4.0), classes=(1, 1)),
    )

    (compared,) = compare_outputs([ours], [theirs], "a").outputs

    assert (compared.items, compared.agreement, compared.largest_difference) == (2, 0.5, 1.0)


def test_the_noise_is_the_error_against_the_reference() -> None:
    (compared,) = compare_outputs([output((9.0, 0.0))], [output((10.0, 0.0))], "a").outputs

    assert compared.sqnr_db == pytest.approx(20)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreement"),
    [(((0.4,), (0.6,)), ((0.2,), (0.9,)), 1.0), (((-1.0,), (-0.6,)), ((-0.2,), (3.0,)), 0.5)],
)
def test_one_value_is_a_score_of_two_classes_by_its_range(
    ours: tuple[tuple[float], ...], theirs: tuple[tuple[float], ...], agreement: float
) -> None:
    (compared,) = compare_outputs([output(*ours, shape=(1, 1))], [output(*theirs, shape=(1, 1))], "a").outputs

    assert (compared.items, compared.agreement) == (2, agreement)


def test_the_reference_sets_the_threshold_of_one_value_for_both() -> None:
    ours = output((-0.02,), (0.48,), (0.98,), shape=(1, 1))
    theirs = output((0.0,), (0.45,), (1.0,), shape=(1, 1))

    (compared,) = compare_outputs([ours], [theirs], "a").outputs

    assert (compared.items, compared.agreement) == (3, 1.0)


def test_one_value_is_a_number_if_the_reference_gives_one_class_only() -> None:
    (compared,) = compare_outputs(
        [output((30.0,), (50.0,), shape=(1, 1))], [output((3.0,), (5.0,), shape=(1, 1))], "a"
    ).outputs

    assert (compared.items, compared.agreement) == (None, None)
    assert compared.sqnr_db is not None
    assert compared.sqnr_db < 0


def test_axes_of_size_one_are_ignored_in_shapes() -> None:
    compared = compare_outputs([output((1.0, 2.0), shape=(1, 2, 1, 1))], [output((1.0, 2.0))], "a")

    assert compared.unmatched == ()


def test_outputs_are_matched_by_name_else_by_place() -> None:
    first, second = output((1.0, 2.0), name="a"), output((5.0, 6.0), name="b")
    by_name = compare_outputs([second, first], [first, second], "r")
    by_place = compare_outputs(
        [first, second], [output((1.0, 2.0), name="x"), output((5.0, 6.0), name="z")], "r"
    )

    assert [compared.largest_difference for compared in (*by_name.outputs, *by_place.outputs)] == [0, 0, 0, 0]


def test_an_output_of_another_shape_is_unmatched() -> None:
    compared = compare_outputs([output((1.0, 2.0, 3.0), shape=(1, 3))], [output((1.0, 2.0))], "a")

    assert (compared.outputs, compared.unmatched) == ((), ("y",))
    assert compared.worst is None


def test_detections_are_compared_where_both_files_found_as_many() -> None:
    boxes = output((1.0, 2.0), (3.0,), shape=None)
    same, more = output((1.0, 2.0), (4.0,), shape=None), output((1.0, 2.0), (4.0, 5.0), shape=None)

    assert compare_outputs([boxes], [same], "a").outputs[0].largest_difference == 1
    assert compare_outputs([boxes], [more], "a").unmatched == ("y",)


def test_an_output_without_values_is_compared_without_a_figure() -> None:
    empty = output((), (), shape=(0, 4))

    (compared,) = compare_outputs([empty], [empty], "a").outputs

    assert (compared.items, compared.agreement, compared.cosine, compared.sqnr_db) == (None, None, None, None)
    assert compared.largest_difference == 0


def test_a_scalar_is_compared() -> None:
    (compared,) = compare_outputs([output((2.0,), shape=())], [output((1.0,), shape=())], "a").outputs

    assert compared.largest_difference == 1


def test_zeros_have_no_direction() -> None:
    (compared,) = compare_outputs([output((0.0, 0.0))], [output((0.0, 0.0))], "a").outputs

    assert compared.cosine is None


def test_the_cosine_is_the_mean_over_inferences() -> None:
    ours, theirs = output((1.0, 0.0), (1.0, 0.0)), output((1.0, 0.0), (0.0, 1.0))

    (compared,) = compare_outputs([ours], [theirs], "a").outputs

    assert compared.cosine == pytest.approx(0.5)
    assert not math.isnan(compared.largest_difference)


def test_only_the_judged_output_decides_what_is_worst() -> None:
    good, bad = output((1.0, 0.0), name="good"), output((1.0, 0.0), name="bad")
    reference = [good, output((0.0, 1.0), name="bad")]

    every = compare_outputs([good, bad], reference, "a")
    judged = compare_outputs([good, bad], reference, "a", judged="good")

    assert every.worst is not None
    assert judged.worst is not None
    assert (every.worst.name, judged.worst.name) == ("bad", "good")
    assert len(judged.outputs) == 2
