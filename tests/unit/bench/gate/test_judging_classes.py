"""The gate on every class: what accuracy over all images does not show."""

import numpy as np
import numpy.typing as npt
import pytest

from bench.bundle.source_record import OutputRecord
from bench.gate.blocking import blocks
from bench.gate.class_reasons import ClassNames
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.judging import Compared, Side, judge, notes_on_classes
from bench.gate.options import Limits
from bench.statistics.accuracy import Labels, Logits

XRAY = ClassNames(("healthy", "ill"), positive=1)
RARE = np.array([0] * 400 + [1] * 4)
Classes = npt.NDArray[np.int64]


def side(answers: Classes, count: int) -> Side:
    return Side("completed", logits=np.eye(count, dtype=np.float32)[answers])


def compared(
    candidate: Classes,
    labels: Classes,
    names: ClassNames,
    baseline: Classes | None = None,
    variant: str = "onnx-fp32",
) -> Compared:
    count = len(names.names)
    return Compared(
        variant,
        "cpu",
        side(labels if baseline is None else baseline, count),
        side(candidate, count),
        labels=labels,
        class_names=names,
    )


def several(answers: Classes, count: int) -> list[Compared]:
    return [compared(answers, RARE, XRAY, variant=f"variant {number}") for number in range(count)]


def of(findings: tuple[Finding, ...], name: str) -> Finding:
    (found,) = (finding for finding in findings if finding.class_name == name)
    return found


def verdicts(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.class_name or finding.quantity.value: finding.verdict.value for finding in findings}


def names(count: int) -> ClassNames:
    return ClassNames(tuple("abcdefghijk"[:count]))


def test_a_candidate_that_calls_everything_healthy_is_worse() -> None:
    findings = judge([compared(RARE * 0, RARE, XRAY)], Limits())

    assert verdicts(findings) == {"accuracy": "SAME", "ill": "WORSE", "healthy": "SAME"}
    assert [finding.class_name for finding in findings] == [None, "ill", "healthy"]
    ill = of(findings, "ill")
    assert blocks(ill, strict=False)
    assert (ill.ratio, ill.baseline, ill.candidate, ill.limit) == (0, 1, 0, 0.99)
    assert ill.sentence == (
        "4 of 4 images newly missed (exact test p = 0.0039); sensitivity (ill) 0.000, was 1.000; 0.000 of "
        "the baseline's, the limit is 0.99"
    )
    assert findings[0].sentence.endswith(
        "; sensitivity (ill) 0.000, was 1.000; balanced accuracy 0.500, was 1.000; accuracy 0.990, was 1.000"
    )


def test_nine_variants_that_call_everything_healthy_are_all_worse() -> None:
    findings = judge(several(RARE * 0, 9), Limits())

    assert sum(finding.verdict is Verdict.WORSE for finding in findings) == 9
    assert {finding.class_name for finding in findings if finding.verdict is Verdict.WORSE} == {"ill"}


@pytest.mark.parametrize("variants", [1, 9])
def test_a_candidate_that_calls_everything_healthy_is_worse_though_the_baseline_missed_one(
    variants: int,
) -> None:
    before = RARE.copy()
    before[-1] = 0
    findings = judge(
        [
            *several(RARE, variants - 1),
            compared(RARE * 0, RARE, XRAY, baseline=before),
        ],
        Limits(),
    )

    worse = [finding for finding in findings if finding.verdict is Verdict.WORSE]
    assert [(finding.case, finding.class_name) for finding in worse] == [("onnx-fp32", "ill")]


def test_one_such_variant_among_eight_unchanged_ones_is_worse() -> None:
    findings = judge([*several(RARE, 8), compared(RARE * 0, RARE, XRAY)], Limits())

    assert [finding.case for finding in findings if finding.verdict is Verdict.WORSE] == ["onnx-fp32"]


def test_nine_unchanged_variants_are_the_same_in_every_class() -> None:
    assert {finding.verdict for finding in judge(several(RARE, 9), Limits())} == {Verdict.SAME}


@pytest.mark.parametrize("count", [3, 9])
@pytest.mark.parametrize("variants", [1, 9])
def test_a_class_that_loses_half_of_its_recall_is_worse_and_no_other(count: int, variants: int) -> None:
    labels = np.arange(count * 50) % count
    halved = np.where((labels == 2) & (np.arange(len(labels)) % (2 * count) < count), 0, labels)
    unchanged = [
        compared(labels, labels, names(count), variant=f"same {number}") for number in range(variants - 1)
    ]
    findings = judge([*unchanged, compared(halved, labels, names(count))], Limits())

    worse = [finding for finding in findings if finding.verdict is not Verdict.SAME]
    assert {(finding.case, finding.quantity, finding.class_name) for finding in worse} == {
        ("onnx-fp32", Quantity.ACCURACY, None),
        ("onnx-fp32", Quantity.RECALL, "c"),
    }
    assert {finding.verdict for finding in worse} == {Verdict.WORSE}
    of_variant = [finding for finding in findings if finding.case == "onnx-fp32"]
    assert of_variant[1].class_name == "c"
    assert len(of_variant) == 1 + count
    assert "balanced accuracy" in of_variant[0].sentence


def test_a_loss_that_chance_may_explain_says_how_many_images_of_the_class_would_decide() -> None:
    answers = RARE.copy()
    answers[-2:] = 0
    ill = of(judge([compared(answers, RARE, XRAY)], Limits()), "ill")

    assert ill.verdict is Verdict.UNDECIDED
    assert ill.sentence.endswith("; not decided: at least 8 images of the class, like these, would decide it")
    assert (blocks(ill, strict=False), blocks(ill, strict=True)) == (False, True)


def test_variants_that_change_at_random_take_others_their_significance() -> None:
    random = np.random.default_rng(3)
    labels = np.arange(400) % 2
    noisy = [
        compared(
            np.where(random.random(400) < 0.05, 1 - labels, labels),
            labels,
            XRAY,
            baseline=np.where(random.random(400) < 0.05, 1 - labels, labels),
            variant=f"noisy {number}",
        )
        for number in range(8)
    ]
    lost = np.where(np.arange(400) < 8, 0, labels)

    assert of(judge([compared(lost, labels, XRAY)], Limits()), "ill").verdict is Verdict.WORSE
    together = judge([*noisy, compared(lost, labels, XRAY)], Limits())[-2]
    assert (together.class_name, together.verdict) == ("ill", Verdict.UNDECIDED)


def test_a_class_that_the_baseline_never_recognises_cannot_get_worse() -> None:
    answers = RARE.copy()
    found = of(judge([compared(answers, RARE, XRAY, baseline=RARE * 0)], Limits()), "ill")

    assert (found.verdict, found.ratio) == (Verdict.SAME, None)
    assert (
        found.sentence == "0 of 4 images newly missed, 4 newly recognised; sensitivity (ill) 1.000, was 0.000"
    )


def test_classes_of_few_images_and_of_none_are_named_once() -> None:
    labels = np.array([0] * 400 + [1] * 4)
    pairs = [compared(labels, labels, names(3), variant=f"variant {number}") for number in range(9)]

    assert notes_on_classes(pairs, Limits()) == [
        "no image of c: nothing can be claimed about it",
        (
            "b has 4 of 404 images: nothing can be claimed about a loss below 53 % of the recall of b; "
            "299 images of a class would show that a recall stays within 1 %"
        ),
    ]
    assert notes_on_classes(pairs, Limits(min_retention=0.1))[1:] == []
    assert "no number of images" in notes_on_classes(pairs, Limits(min_retention=1))[1]


def test_many_classes_of_few_images_are_one_note() -> None:
    labels = np.arange(90) % 9
    (note,) = notes_on_classes([compared(labels, labels, names(9))], Limits())

    assert note.startswith("few images for a (10), b (10), c (10) and 6 more of 90 images: nothing can be")


def test_without_compared_answers_nothing_is_said_of_classes() -> None:
    assert notes_on_classes([Compared("onnx-fp32", "cpu", None, None)], Limits()) == []


LABELS = OutputRecord(name="scores", index=0, kind="labels", activation="sigmoid")


def of_labels(candidate: Logits, labels: Labels) -> Compared:
    return Compared(
        "onnx-fp32",
        "cpu",
        Side("completed", logits=labels.astype(np.float32)),
        Side("completed", logits=candidate),
        labels=labels,
        output=LABELS,
        class_names=ClassNames(("mass", "nodule"), kind="labels"),
    )


def test_a_rare_label_that_is_never_found_is_worse() -> None:
    labels = np.zeros((400, 2), dtype=np.int64)
    labels[:6, 0] = 1
    labels[::2, 1] = 1
    candidate = labels.astype(np.float32)
    candidate[:, 0] = 0
    findings = judge([of_labels(candidate, labels)], Limits())

    assert verdicts(findings) == {
        "accuracy": "SAME",
        "mass": "WORSE",
        "nodule": "SAME",
        "not mass": "SAME",
        "not nodule": "SAME",
    }
    assert "recall 0.000, was 1.000" in of(findings, "mass").sentence


def test_a_label_that_is_always_found_loses_the_images_without_it() -> None:
    labels = np.zeros((400, 2), dtype=np.int64)
    labels[:394, 0] = 1
    labels[::2, 1] = 1
    candidate = labels.astype(np.float32)
    candidate[:, 0] = 1

    assert of(judge([of_labels(candidate, labels)], Limits()), "not mass").verdict is Verdict.WORSE


def test_a_hundred_thousand_changed_images_are_judged() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 400_000)
    reference, candidate = (
        np.where(random.random(400_000) < share, 1 - labels, labels) for share in (0.15, 0.18)
    )
    findings = judge([compared(candidate, labels, XRAY, baseline=reference)], Limits())

    assert findings[0].flips is not None
    assert findings[0].flips > 100_000
    assert {finding.verdict for finding in findings} == {Verdict.WORSE}


def test_many_classes_hide_no_loss_of_accuracy() -> None:
    """46 newly wrong and 28 newly right of 1,000 images, one-sided p = 0.024, in 10 classes alike."""
    labels = np.repeat(np.arange(10), 100)
    before, after = labels.copy(), labels.copy()
    before[:280:10] = (labels[:280:10] + 1) % 10
    after[1:461:10] = (labels[1:461:10] + 1) % 10
    findings = judge([compared(after, labels, names(10), baseline=before)], Limits())

    accuracy = next(finding for finding in findings if finding.quantity is Quantity.ACCURACY)
    assert accuracy.verdict is Verdict.WORSE
    assert "not called better" not in accuracy.sentence
