"""Which output of a source is judged, and what its values are taken for."""

import numpy as np
import pytest

from bench.bundle.judged_output import judged_values
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Tensor
from bench.errors import InputError
from export.judged import judged_output, refuse_idle_names, with_activation

BOXES = Tensor(name="boxes", dtype="float32", shape=(1, 100, 4))
SCORES = Tensor(name="scores", dtype="float32", shape=(1, 3))
ONE = Tensor(name="one", dtype="float32", shape=(1, 1))
POOLED = Tensor(name="pooled", dtype="float32", shape=(1, 5, 1, 1))
CLASSES = np.array([0, 1, 2])
SEVERAL = np.array([[0, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    ("outputs", "labels", "index", "kind"),
    [
        ((BOXES, SCORES), None, 1, "classes"),
        ((BOXES, POOLED), CLASSES, 1, "classes"),
        ((BOXES,), None, 0, "values"),
        ((SCORES,), SEVERAL, 0, "labels"),
        ((ONE,), CLASSES, 0, "classes"),
        ((ONE,), None, 0, "values"),
    ],
)
def test_the_first_output_with_a_score_per_class_is_judged(
    outputs: tuple[Tensor, ...], labels: np.ndarray | None, index: int, kind: str
) -> None:
    output = judged_output(outputs, None, labels, None)

    assert (output.index, output.kind) == (index, kind)


def test_an_output_can_be_named_and_an_unknown_one_is_refused() -> None:
    assert judged_output((SCORES, BOXES), "boxes", None, None).kind == "values"
    with pytest.raises(InputError, match="unknown output 'score'"):
        judged_output((SCORES, BOXES), "score", None, None)


@pytest.mark.parametrize("labels", [CLASSES, SEVERAL])
def test_labels_need_an_output_with_scores(labels: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"'boxes' is boxes: float32 \[1, 100, 4\].*'path' alone"):
        judged_output((BOXES,), None, labels, None)


def test_names_need_an_output_with_scores() -> None:
    boxes, scores = (judged_output((each,), None, None, None) for each in (BOXES, SCORES))

    refuse_idle_names(scores, "a,b,c")
    refuse_idle_names(boxes, None)
    with pytest.raises(InputError, match=r"^--classes: the judged output 'boxes' holds no classes; leave it"):
        refuse_idle_names(boxes, "a,b,c")


def test_an_activation_needs_an_output_with_scores() -> None:
    with pytest.raises(InputError, match=r"--activation softmax: .* or leave it out"):
        judged_output((BOXES,), None, None, "softmax")


@pytest.mark.parametrize(
    ("values", "labels", "activation", "kind"),
    [
        ([[0.2, 0.8], [0.5, 0.5]], CLASSES, "softmax", "classes"),
        ([[-2.0, 1.0], [0.5, 0.5]], CLASSES, "logits", "classes"),
        ([[0.9, 0.8], [0.5, 0.1]], None, "sigmoid", "labels"),
        ([[0.9, 0.8], [0.5, 0.1]], CLASSES, "sigmoid", "classes"),
    ],
)
def test_what_values_are_is_told_by_their_range_and_sum(
    values: list[list[float]], labels: np.ndarray | None, activation: str, kind: str
) -> None:
    output = judged_output((SCORES,), None, labels, None)

    told = with_activation(output, np.array(values, np.float32), labels)

    assert (told.activation, told.kind) == (activation, kind)


@pytest.mark.parametrize(
    ("integers", "activation", "kind"),
    [
        # A rounded softmax of many classes: what is below half a step became 0.
        ([[200, 20, *[0] * 998], [40, 10, *[1] * 30, *[0] * 968]], "softmax", "classes"),
        ([[255, 255, 0], [128, 255, 255]], "sigmoid", "labels"),
    ],
)
def test_integers_are_told_by_what_they_stand_for(
    integers: list[list[int]], activation: str, kind: str
) -> None:
    how = Quantisation(scale=1 / 256, zero_point=0)
    scores = Tensor(name="y", dtype="uint8", shape=(1, len(integers[0])), quantisation=how)
    output = judged_output((scores,), None, None, None)

    values = np.stack([judged_values([np.array([row], np.uint8)], output) for row in integers])
    told = with_activation(output, values, None)

    assert values[0, 0] == integers[0][0] / 256
    assert (told.activation, told.kind) == (activation, kind)


def test_a_stated_activation_stays() -> None:
    output = judged_output((ONE,), None, CLASSES, "logits")

    assert with_activation(output, np.array([[0.5]], np.float32), CLASSES).activation == "logits"


def test_values_outside_of_0_to_1_are_logits_whatever_was_stated() -> None:
    output = judged_output((SCORES,), None, SEVERAL, "sigmoid")

    told = with_activation(output, np.array([[-3.0, 0.3, 2.0]], np.float32), SEVERAL)

    assert (told.activation, told.kind) == ("logits", "labels")


def test_several_labels_that_happen_to_sum_to_1_are_no_softmax() -> None:
    output = judged_output((SCORES,), None, SEVERAL, None)

    told = with_activation(output, np.array([[0.2, 0.2, 0.6]], np.float32), SEVERAL)

    assert (told.activation, told.kind) == ("sigmoid", "labels")


@pytest.mark.parametrize(
    ("output", "labels", "values"), [(ONE, CLASSES, [[0.5]]), (SCORES, SEVERAL, [[0.1, 0.2, 0.7]])]
)
def test_a_softmax_of_one_value_or_of_several_labels_is_refused(
    output: Tensor, labels: np.ndarray, values: list[list[float]]
) -> None:
    judged = judged_output((output,), None, labels, "softmax")

    with pytest.raises(InputError, match=r"--activation softmax: .*--activation sigmoid or logits"):
        with_activation(judged, np.array(values, np.float32), labels)


def test_a_stated_softmax_must_have_probabilities() -> None:
    output = judged_output([Tensor(name="y", dtype="float32", shape=(1, 2))], None, None, "softmax")

    assert with_activation(output, np.array([[0.25, 0.75]], np.float32), None).activation == "softmax"
    with pytest.raises(InputError, match=r"'y' has values from -1.5 to 2; .*state --activation logits"):
        with_activation(output, np.array([[-1.5, 2]], np.float32), None)
