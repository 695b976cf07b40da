"""What is kept of a model file's outputs."""

import numpy as np
import pytest

from bench.bundle.quantisation import Quantisation
from bench.harness.output_values import joined, outputs_of
from bench.measurements import OutputValues


def test_the_class_of_each_item_is_the_index_of_its_largest_value() -> None:
    first, second = np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([[0.0, 1.0], [0.0, 2.0]])

    (output,) = outputs_of([[first], [second]], ["scores"], 10)

    assert output.classes == (1, 0, 1, 1)
    assert output.shape == (2, 2)
    assert output.values == ((0.1, 0.9, 0.8, 0.2), (0.0, 1.0, 0.0, 2.0))


@pytest.mark.parametrize(
    ("shape", "has_classes"), [((1, 3, 1, 1), True), ((1, 3, 2, 2), False), ((3,), False)]
)
def test_the_shape_decides_whether_there_are_classes(shape: tuple[int, ...], has_classes: bool) -> None:
    (output,) = outputs_of([[np.zeros(shape)]], ["y"], 100)

    assert (output.classes is not None) == has_classes


def test_one_value_an_item_has_no_largest() -> None:
    (output,) = outputs_of([[np.zeros((4, 1))]], ["y"], 100)

    assert output.classes is None


def test_outputs_without_a_name_are_called_by_their_place() -> None:
    outputs = outputs_of([[np.zeros(1), np.zeros(2)]], ["first"], 10)

    assert [output.name for output in outputs] == ["first", "output_1"]


def test_of_a_large_output_the_same_places_are_kept_every_time() -> None:
    large = np.arange(10_000, dtype=np.float32)

    (output,) = outputs_of([[large], [large + 1]], ["y"], 50)
    (again,) = outputs_of([[large]], ["y"], 50)

    assert len(output.values[0]) == 50
    assert output.values[0] == again.values[0]
    assert [after - before for before, after in zip(*output.values, strict=True)] == [1.0] * 50


def test_an_output_without_values_is_kept() -> None:
    (output,) = outputs_of([[np.zeros((0, 4))], [np.zeros((0, 4))]], ["boxes"], 10)

    assert (output.shape, output.values) == ((0, 4), ((), ()))


def test_an_output_whose_shape_differs_has_none_and_keeps_its_values() -> None:
    (output,) = outputs_of([[np.ones((2, 4))], [np.zeros((0, 4))]], ["boxes"], 10)

    assert (output.shape, output.classes) == (None, None)
    assert [len(values) for values in output.values] == [8, 0]


def test_texts_sequences_and_absent_values_are_left_out() -> None:
    outputs = outputs_of([[np.array(["cat"]), [np.zeros(2)], None, np.zeros(1)]], ["a", "b", "c", "d"], 10)  # type: ignore[list-item]

    assert [output.name for output in outputs] == ["d"]


def test_a_list_of_scores_by_class_is_a_table_and_one_of_other_keys_is_left_out() -> None:
    scores = [{"cat": 0.25, "dog": 0.75}, {"cat": 1.0, "dog": 0.0}]
    outputs = outputs_of([[scores, [{"a": 1.0}, {"b": 1.0}]]], ["scores", "other"], 10)  # type: ignore[list-item]

    assert [(output.name, output.shape, output.classes) for output in outputs] == [("scores", (2, 2), (1, 0))]


def test_integers_become_the_floats_that_they_stand_for() -> None:
    how = Quantisation(scale=0.5, zero_point=-128)
    inference = [np.array([[-128, -126]], np.int8), np.array([3], np.uint8)]

    quantised, plain = outputs_of([inference], ["y", "z"], 10, (how, None))

    assert (quantised.values, plain.values) == (((0.0, 1.0),), ((3.0,),))


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinite")])
def test_a_value_that_is_not_finite_is_an_error_that_names_the_output(value: float, word: str) -> None:
    with pytest.raises(FloatingPointError, match=rf"in the output 'y': 1 of 2 are {word}; "):
        outputs_of([[np.array([1.0, 2.0])], [np.array([1.0, value])]], ["y"], 10)


def part(*values: tuple[float, ...], shape: tuple[int, ...] | None = (1, 2), name: str = "y") -> OutputValues:
    classes = None if shape is None else (0,) * len(values)
    return OutputValues(name=name, shape=shape, classes=classes, values=values)


def test_parts_are_joined_in_order() -> None:
    (output,) = joined([(part((1.0, 2.0)),), (part((3.0, 4.0), (5.0, 6.0)),)])

    assert output.values == ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))
    assert output.classes == (0, 0, 0)


def test_parts_of_different_shapes_have_none_together() -> None:
    (output,) = joined([(part((1.0, 2.0)),), (part((3.0,), shape=(1, 1)),)])

    assert (output.shape, output.classes) == (None, None)


def test_an_output_that_is_missing_in_a_part_is_left_out() -> None:
    both, one = (part((1.0, 2.0)), part((1.0, 2.0), name="z")), (part((1.0, 2.0)),)

    assert [output.name for output in joined([both, one])] == ["y"]
