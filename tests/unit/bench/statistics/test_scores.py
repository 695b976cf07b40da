"""What an output says: decisions, an order of the samples, probabilities."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest

from bench.bundle.source_record import OutputRecord
from bench.statistics.accuracy import predictions
from bench.statistics.roc import one_hot, roc_areas
from bench.statistics.scores import decisions, log_odds, probabilities

Floats = npt.NDArray[np.float32]
LOGITS = np.array([[2.0, -1.0, 0.5], [-3.0, 0.0, 80.0], [0.0, 0.0, 0.0]], dtype=np.float32)


def output(
    kind: Literal["classes", "labels", "values"],
    activation: Literal["logits", "softmax", "sigmoid", "none"] = "logits",
) -> OutputRecord:
    return OutputRecord(name="scores", index=0, kind=kind, activation=activation)


def decided(values: Floats, judged: OutputRecord) -> list[int]:
    made = decisions(values, None, judged)
    assert made is not None
    return [int(answer) for answer in predictions(made.scores)]


def test_one_logit_decides_at_0_and_one_probability_at_one_half() -> None:
    values = np.array([[-0.2], [0.2], [0.6]], dtype=np.float32)

    assert decided(values, output("classes")) == [0, 1, 1]
    assert decided(values, output("classes", "sigmoid")) == [0, 0, 1]


def test_of_several_labels_each_is_a_decision_image_by_image() -> None:
    values = np.array([[0.1, 0.9], [0.8, 0.7]], dtype=np.float32)

    assert decided(values, output("labels", "sigmoid")) == [0, 1, 1, 1]
    assert decisions(values, None, output("values", "none")) is None


def test_probabilities_of_logits_are_softmax_and_those_of_labels_are_not() -> None:
    softmax = probabilities(LOGITS, output("classes"))
    exponentials = np.exp(LOGITS.astype(np.float64))

    assert softmax == pytest.approx(exponentials / exponentials.sum(axis=1, keepdims=True))
    assert probabilities(LOGITS, output("labels")) == pytest.approx(1 / (1 + np.exp(-LOGITS.astype(float))))


def test_one_value_becomes_the_probabilities_of_no_and_yes() -> None:
    values = np.array([[0.25], [0.75]], dtype=np.float32)

    assert probabilities(values, output("classes", "sigmoid")).tolist() == [[0.75, 0.25], [0.25, 0.75]]
    assert probabilities(values - values, output("classes")).tolist() == [[0.5, 0.5]] * 2


def test_values_that_are_probabilities_stay_as_they_are() -> None:
    values = np.array([[0.2, 0.8]], dtype=np.float32)

    assert np.array_equal(probabilities(values, output("classes", "softmax")), values.astype(np.float64))


def test_logits_order_samples_as_their_probabilities_do_and_without_ties_near_1() -> None:
    random = np.random.default_rng(0)
    values = (40 * random.standard_normal((100, 3))).astype(np.float32)
    labels = random.integers(0, 3, 100)
    odds, softmax = log_odds(values, output("classes")), probabilities(values, output("classes"))

    assert (odds[:, 0] == np.inf).sum() <= (softmax[:, 0] == 1).sum()
    assert np.array_equal(np.argsort(odds[:10, 1]), np.argsort(softmax[:10, 1]))
    by_odds, by_softmax = (roc_areas(scores, one_hot(labels, 3)).mean for scores in (odds, softmax))
    assert by_odds == pytest.approx(by_softmax, abs=0.02)


def test_a_softmax_or_a_sigmoid_orders_samples_itself() -> None:
    values = np.array([[0.2, 0.8]], dtype=np.float32)

    assert np.array_equal(log_odds(values, output("classes", "softmax")), values.astype(np.float64))
    assert np.array_equal(log_odds(values, output("labels")), values.astype(np.float64))
