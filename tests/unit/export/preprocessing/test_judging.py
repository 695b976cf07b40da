"""Two ways to prepare images are judged by the answers to the same images."""

import itertools
from math import comb

import numpy as np
import numpy.typing as npt
import pytest

from bench.bundle.judged_output import CLASSES
from bench.bundle.source_record import OutputRecord
from bench.statistics.sign_flips import chance_of
from export.preprocessing.class_order import assign, best_order, fitting_order
from export.preprocessing.judging import Answers, answers_to, balance, compare

RIVALS = 6


def answers(right: int, of: int = 64, sure: float = -0.1, unsure: float = -1.5) -> Answers:
    """Return answers of which the first ones are right, to two classes that take turns."""
    return marked(np.arange(of) < right, sure, unsure)


def marked(right: npt.NDArray[np.bool_], sure: float = -0.1, unsure: float = -1.5) -> Answers:
    labels = np.arange(len(right)) % 2
    return Answers(right[:, None], np.where(right, sure, unsure)[:, None], balance(labels[:, None]))


def test_the_chance_is_that_of_mcnemar() -> None:
    differences = [1] * 9 + [-1] * 2 + [0] * 50

    assert chance_of(differences) == pytest.approx(sum(comb(11, k) for k in (9, 10, 11)) / 2**11)


def test_no_difference_is_always_by_chance() -> None:
    assert chance_of([0, 0]) == chance_of([]) == 1.0


def test_a_rival_that_is_right_where_the_stated_one_is_wrong_is_better() -> None:
    comparison = compare(answers(44), answers(60), RIVALS)

    assert comparison.verdict == "better"
    assert comparison.chance < 0.001


def test_the_other_way_round_it_is_worse() -> None:
    assert compare(answers(60), answers(44), RIVALS).verdict == "worse"


def test_a_small_gain_is_not_clear_however_sure() -> None:
    assert compare(answers(57), answers(63), RIVALS).verdict == "equal"


def test_a_gain_of_ten_among_many_changes_is_chance() -> None:
    stated = answers(27, sure=-0.6, unsure=-0.8)
    rival = marked(~stated.right[:, 0], sure=-0.6, unsure=-0.8)

    assert rival.correct - stated.correct == 10
    assert compare(stated, rival, RIVALS).verdict == "equal"


def test_answering_the_commonest_class_alone_is_not_better() -> None:
    labels = np.arange(64) % 8 == 0
    careful = np.where(labels, np.arange(64) % 16 == 0, np.arange(64) % 4 != 1)
    logits = np.stack([np.zeros(64), np.where(careful == labels, 2.0, -2.0)], axis=1).astype(np.float32)
    dead = np.stack([np.ones(64), np.zeros(64)], axis=1).astype(np.float32)

    stated = answers_to(logits, labels.astype(np.int64), CLASSES)
    rival = answers_to(dead, labels.astype(np.int64), CLASSES)

    assert stated is not None
    assert rival is not None
    assert rival.correct - stated.correct >= 10
    assert compare(stated, rival, RIVALS).verdict == "equal"


def test_a_dead_network_is_found_where_one_class_is_rare() -> None:
    labels = (np.arange(64) % 8 == 0).astype(np.int64)
    dead = np.stack([np.ones(64), np.zeros(64)], axis=1).astype(np.float32)
    right = np.stack([np.zeros(64), np.where(labels, 3.0, -3.0)], axis=1).astype(np.float32)

    stated, rival = answers_to(dead, labels, CLASSES), answers_to(right, labels, CLASSES)

    assert stated is not None
    assert rival is not None
    assert (rival.correct - stated.correct, stated.balanced, rival.balanced) == (8, 0.5, 1.0)
    assert compare(stated, rival, RIVALS).verdict == "better"


def test_a_surer_rival_with_equal_answers_is_not_better() -> None:
    assert compare(answers(50), answers(50, sure=-0.001, unsure=-0.7), RIVALS).verdict == "equal"


def test_answers_of_logits_softmax_and_one_logit_agree() -> None:
    logits = np.array([[0.0, 2.0], [1.0, -1.0], [0.0, 0.5]], dtype=np.float32)
    labels = np.array([1, 1, 0])
    odds = np.exp(logits)
    softmax = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    probability = CLASSES.model_copy(update={"activation": "softmax"})
    one = (logits[:, 1] - logits[:, 0])[:, None]
    sigmoid = CLASSES.model_copy(update={"activation": "sigmoid"})

    expected = answers_to(logits, labels, CLASSES)
    others = [
        answers_to(softmax, labels, probability),
        answers_to(one, labels, CLASSES),
        answers_to((1 / (1 + np.exp(-one))).astype(np.float32), labels, sigmoid),
    ]

    assert expected is not None
    assert expected.right[:, 0].tolist() == [True, False, False]
    for other in others:
        assert other is not None
        np.testing.assert_array_equal(other.right, expected.right)
        np.testing.assert_allclose(other.log_probability, expected.log_probability, rtol=1e-4)


def test_several_labels_are_several_decisions_of_an_image() -> None:
    output = OutputRecord(name="findings", index=0, kind="labels", activation="logits")
    values = np.array([[3.0, -2.0, 1.0], [-1.0, -1.0, -1.0]], dtype=np.float32)

    found = answers_to(values, np.array([[1, 0, 0], [0, 0, 0]]), output)

    assert found is not None
    assert (found.right.sum(axis=1).tolist(), found.decisions, found.correct) == ([2, 3], 3, 5)


def test_outputs_that_are_not_finite_are_wrong() -> None:
    found = answers_to(np.array([[np.nan, 1.0]], dtype=np.float32), np.array([1]), CLASSES)

    assert found is not None
    assert found.correct == 0
    assert np.isfinite(found.log_probability).all()


@pytest.mark.parametrize("shape", [(3, 3), (4, 4), (2, 4), (4, 2), (1, 1)])
def test_the_assignment_is_the_best_of_all(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(shape[0] * 10 + shape[1])
    for _ in range(20):
        merits = random.integers(0, 9, shape)
        columns = assign(merits)
        padded = np.zeros((max(shape), max(shape)), dtype=np.int64)
        padded[: shape[0], : shape[1]] = merits
        best = max(
            sum(padded[row, column] for row, column in enumerate(order))
            for order in itertools.permutations(range(len(padded)))
        )

        assert sum(merits[row, column] for row, column in enumerate(columns) if column >= 0) == best
        given = columns[columns >= 0]
        assert len(set(given.tolist())) == len(given) == min(shape)


def test_classes_in_another_order_are_found() -> None:
    random = np.random.default_rng(0)
    labels = np.tile(np.arange(3), 22)[:64]
    model_order = np.array([2, 0, 1])
    network = np.argsort(model_order)[labels]
    network[:6] = random.integers(0, 3, 6)

    found = fitting_order(network, labels, 3)

    assert found is not None
    assert found.order == (2, 0, 1)
    assert found.correct >= 58 > found.given_correct


def test_the_given_order_is_kept_where_it_fits_or_nothing_does() -> None:
    random = np.random.default_rng(1)
    labels = np.tile(np.arange(40), 2)[:64]

    assert fitting_order(labels, labels, 40) is None
    assert fitting_order(random.permutation(labels), labels, 40) is None
    assert fitting_order(np.zeros(64, dtype=np.int64), labels % 2, 2) is None
    assert fitting_order(np.zeros(64, dtype=np.int64), (labels % 5 > 0).astype(np.int64), 2) is None


def test_classes_without_evidence_keep_their_places() -> None:
    answers_given, labels = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])

    assert best_order(answers_given, labels, 5).tolist() == [1, 0, 2, 3, 4]
