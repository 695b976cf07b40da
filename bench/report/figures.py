"""Derives the figures of a row's answers: accuracy where there are labels, else agreement. Pure."""

from dataclasses import dataclass

from bench.report.predictions import Predictions, as_values, labels_of
from bench.report.schema import Accuracy, ClassAccuracy, Evaluation, LabelAccuracy, Retention
from bench.statistics import accuracy, metrics
from bench.statistics.accuracy import Labels, Logits, Paired
from bench.statistics.by_class import ClassPair
from bench.statistics.scores import log_odds

_TWO_CLASSES = 2
_TOP = 5


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
    """Return the recall of a class that has images."""
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
            "by_class": tuple(map(_of_class, self._pairs())),
        }
        return figures.model_copy(update=changes)

    def _pairs(self) -> tuple[ClassPair, ...]:
        """Return the classes that have images."""
        return tuple(pair for pair in self.predictions.by_class(self.evaluation.output.kind) if pair.images)

    def _with_two_classes(self, figures: Accuracy, positive: int) -> Accuracy:
        logits, reference, right = self.predictions.logits, self.predictions.reference, self.right
        changes = {
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
        changes = {
            "macro_auc": metrics.macro_auc(log_odds(logits, self.evaluation.output), right),
            "top5": metrics.top_k(logits, right, _TOP) if logits.shape[1] > _TOP else None,
            "f1": metrics.macro_f1(accuracy.predictions(logits), right),
        }
        return figures.model_copy(update=changes)

    def _with_labels(self, figures: Accuracy) -> Accuracy:
        by_label = tuple(self._of_label(label) for label in range(self.values.shape[1]))
        changes = {
            "macro_auc": metrics.macro_auc_of_labels(self.values, self.labels),
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
