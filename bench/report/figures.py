"""Derives the figures of a row's answers: accuracy where there are labels, else agreement. Pure."""

from dataclasses import dataclass

import numpy as np

from bench.report.predictions import Predictions, as_values, labels_of
from bench.report.schema import (
    Accuracy,
    ClassAccuracy,
    ClassConfusion,
    Evaluation,
    LabelAccuracy,
    Retention,
)
from bench.statistics import accuracy, metrics
from bench.statistics.accuracy import Labels, Logits, Paired
from bench.statistics.by_class import ClassPair
from bench.statistics.confusion import ConfusedPair, confused_pairs
from bench.statistics.roc import RocAreas, one_hot, roc_areas
from bench.statistics.scores import Wide, log_odds

_TWO_CLASSES = 2
_TOP = 5
# A thousand classes have up to a million pairs. Rarer ones can be counted from the logits of the report.
_MOST_CONFUSED = 50


def figures_of(given: tuple[tuple[float, ...], ...], evaluation: Evaluation) -> Accuracy:
    """Return the figures of a row's judged values on the evaluated images."""
    values, reference = as_values(given), as_values(evaluation.reference_logits)
    predictions = Predictions.of(given, evaluation)
    figures = _compared(values, reference, predictions)
    labels = labels_of(evaluation)
    if predictions is None or predictions.labels is None or labels is None:
        return figures
    labelled = _Labelled(predictions, predictions.labels, labels, values, evaluation)
    return labelled.added_to(figures)


def with_independent_labels(
    figures: Accuracy, given: tuple[tuple[float, ...], ...], evaluation: Evaluation
) -> Accuracy:
    """Return the figures as they were when the labels of one image counted as independent decisions."""
    predictions = Predictions.of(given, evaluation)
    if predictions is None or predictions.labels is None:
        return figures
    paired = accuracy.pair(predictions.logits, predictions.reference, predictions.labels)
    return figures.model_copy(update=_of_paired(paired))


def _of_paired(paired: Paired) -> dict[str, object]:
    """Return the fields that compare right answers with the reference's."""
    return {"retention": _retention(paired), "mcnemar_p": paired.mcnemar_p()}


def _retention(paired: Paired) -> Retention | None:
    value = paired.retention
    return None if value is None else Retention(value=value, ci95=paired.retention_ci95())


def _of_class(pair: ClassPair) -> ClassAccuracy:
    """Return the recall of a class that has images, without the figures that several labels do not have."""
    assert pair.recall is not None
    assert pair.reference_recall is not None
    return ClassAccuracy(
        index=pair.index,
        applies=pair.applies,
        images=pair.images,
        recall=pair.recall,
        reference_recall=pair.reference_recall,
        retention=_retention(pair.paired),
        loss_p=pair.paired.loss_p(),
    )


def _compared(values: Logits, reference: Logits, predictions: Predictions | None) -> Accuracy:
    """Return the figures that need no labels."""
    return Accuracy(
        images=len(values),
        top1=None,
        auc=None,
        sensitivity=None,
        specificity=None,
        reference_sensitivity=None,
        reference_specificity=None,
        agreement=None
        if predictions is None
        else accuracy.agreement(predictions.logits, predictions.reference),
        retention=None,
        mcnemar_p=None,
        flips=() if predictions is None else tuple(accuracy.flips(predictions.logits, predictions.reference)),
        missed=None,
        sqnr_db=accuracy.sqnr_db(values, reference),
        decisions=None if predictions is None else len(predictions.logits),
        cosine=metrics.mean_cosine(values, reference) if predictions is None else None,
    )


def _both_sides(logits: Logits) -> Wide:
    """Return the scores of each of two classes against the other."""
    return np.stack([accuracy.positive_scores(logits, class_) for class_ in range(_TWO_CLASSES)], axis=1)


@dataclass(frozen=True)
class _Labelled:
    """A row's answers on labelled images."""

    predictions: Predictions
    """The decisions."""
    right: Labels
    """What is right in each decision."""
    labels: Labels
    """The labels, as the images have them."""
    values: Logits
    """The values that the decisions were made of."""
    evaluation: Evaluation
    """How they are judged."""

    def added_to(self, figures: Accuracy) -> Accuracy:
        """Return the figures with those that need labels."""
        common = self._with_common(figures)
        if self.evaluation.output.kind == "labels":
            return self._with_labels(common)
        # With more than two classes none is positive: the figures would be about one class alone.
        positive = self.evaluation.positive_class
        if positive is None or self.predictions.logits.shape[1] != _TWO_CLASSES:
            return self._with_classes(common)
        return self._with_two_classes(common, positive)

    def _with_common(self, figures: Accuracy) -> Accuracy:
        logits, right = self.predictions.logits, self.right
        paired = accuracy.pair(logits, self.predictions.reference, right, self.predictions.each)
        changes = {
            "top1": accuracy.top1(logits, right),
            **_of_paired(paired),
            "balanced_accuracy": metrics.balanced_accuracy(accuracy.predictions(logits), right),
        }
        return figures.model_copy(update=changes)

    def _pairs(self) -> tuple[ClassPair, ...]:
        """Return every class, also one without images."""
        return self.predictions.by_class(self.evaluation.output.kind)

    def _by_class(self, areas: RocAreas) -> dict[str, object]:
        """Return the fields about each class of an image, and which are confused."""
        predicted, pairs = accuracy.predictions(self.predictions.logits), self._pairs()
        confused = confused_pairs(predicted, self.right)
        return {
            "auc_ci95": areas.ci95,
            "by_class": tuple(
                _of_class(pair).model_copy(
                    update={
                        "precision": metrics.precision(predicted == pair.index, self.right == pair.index),
                        "f1": metrics.f1(predicted == pair.index, self.right == pair.index),
                        "auc": areas.areas[pair.index],
                    }
                )
                for pair in pairs
                if pair.images
            ),
            "without_images": tuple(pair.index for pair in pairs if not pair.images),
            "confused": tuple(self._confusion(pair, pairs[pair.right]) for pair in confused[:_MOST_CONFUSED]),
            "confused_pairs": len(confused),
        }

    def _confusion(self, pair: ConfusedPair, class_: ClassPair) -> ClassConfusion:
        reference = accuracy.predictions(self.predictions.reference)
        return ClassConfusion(
            index=pair.right,
            given_index=pair.given,
            images=pair.samples,
            class_images=class_.images,
            reference_images=int(((self.right == pair.right) & (reference == pair.given)).sum()),
        )

    def _with_two_classes(self, figures: Accuracy, positive: int) -> Accuracy:
        logits, reference, right = self.predictions.logits, self.predictions.reference, self.right
        changes = {
            **self._by_class(self._areas(_both_sides(logits))),
            "auc": accuracy.auc(logits, right, positive),
            "sensitivity": accuracy.sensitivity(logits, right, positive),
            "specificity": accuracy.specificity(logits, right, positive),
            "reference_sensitivity": accuracy.sensitivity(reference, right, positive),
            "reference_specificity": accuracy.specificity(reference, right, positive),
            "missed": tuple(accuracy.missed(logits, reference, right, positive)),
            "f1": metrics.f1(accuracy.predictions(logits) == positive, right == positive),
        }
        return figures.model_copy(update=changes)

    def _with_classes(self, figures: Accuracy) -> Accuracy:
        logits, right = self.predictions.logits, self.right
        areas = self._areas(log_odds(logits, self.evaluation.output))
        changes = {
            **self._by_class(areas),
            "macro_auc": areas.mean,
            "top5": metrics.top_k(logits, right, _TOP) if logits.shape[1] > _TOP else None,
            "f1": metrics.macro_f1(accuracy.predictions(logits), right),
        }
        return figures.model_copy(update=changes)

    def _areas(self, scores: Wide) -> RocAreas:
        """Return the area of each class against all others."""
        return roc_areas(scores, one_hot(self.right, scores.shape[1]))

    def _with_labels(self, figures: Accuracy) -> Accuracy:
        areas = roc_areas(self.values, self.labels == 1)
        by_label = tuple(self._of_label(label) for label in range(self.values.shape[1]))
        changes = {
            "macro_auc": areas.mean,
            "auc_ci95": areas.ci95,
            "by_class": tuple(_of_class(pair) for pair in self._pairs() if pair.images),
            "f1": sum(figures.f1 for figures in by_label) / len(by_label),
            "by_label": by_label,
        }
        return figures.model_copy(update=changes)

    def _of_label(self, label: int) -> LabelAccuracy:
        """Return the figures of one label: of all decisions, every n-th is about it."""
        scores, right = self.predictions.logits[label :: self.values.shape[1]], self.labels[:, label]
        is_positive = right == 1
        return LabelAccuracy(
            label=label,
            positives=int(is_positive.sum()),
            auc=metrics.area_under_roc(self.values[:, label], is_positive),
            sensitivity=accuracy.sensitivity(scores, right, 1),
            specificity=accuracy.specificity(scores, right, 1),
            f1=metrics.f1(accuracy.predictions(scores) == 1, is_positive),
        )
