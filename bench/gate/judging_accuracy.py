"""Whether a candidate recognises what the baseline does: over all images, and class by class. Pure.

All variants and classes are judged together: see `multiplicity.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.bundle.source_record import OutputRecord
from bench.gate import class_reasons, reasons
from bench.gate.class_reasons import ClassNames
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.multiplicity import GAIN_ERROR
from bench.gate.options import Limits
from bench.gate.verdict_rules import judge_accuracy, judge_recall
from bench.statistics import accuracy
from bench.statistics.accuracy import LOSS_ERROR, Labels, Logits, Paired
from bench.statistics.by_class import ClassPair, pairs_by_class
from bench.statistics.by_image import Changes
from bench.statistics.class_losses import hypotheses_of
from bench.statistics.multiplicity import Hypothesis, exact_least_p, hochberg
from bench.statistics.replication import Interval
from bench.statistics.scores import decisions


@dataclass(frozen=True)
class PairedAnswers:
    """What both sides of a variant answer for the same labelled images."""

    finding: Callable[..., Finding]
    """Makes a finding about the variant from the other fields."""
    paired: Paired
    """Both, compared over all images."""
    classes: tuple[ClassPair, ...]
    """Both, compared on the images of each class."""
    changes: Changes
    """Which decisions changed."""
    shares: tuple[float, float]
    """The share of right decisions of the baseline, and of the candidate."""
    output: OutputRecord
    """The output that holds the answers."""
    names: ClassNames
    """What the classes are called."""

    @classmethod
    def of(
        cls,
        finding: Callable[..., Finding],
        values: tuple[Logits, Logits],
        labels: Labels,
        output: OutputRecord,
        names: ClassNames,
    ) -> "PairedAnswers":
        """Compare the values of the baseline and of the candidate for labelled images."""
        before, after = (decisions(side[: len(labels)], labels, output) for side in values)
        assert before is not None  # an output without classes is judged by its values
        assert after is not None
        assert after.labels is not None
        flips = accuracy.flips(after.scores, before.scores)
        return cls(
            finding=finding,
            paired=accuracy.pair(after.scores, before.scores, after.labels, after.each),
            classes=pairs_by_class(after, before, after.labels, output.kind),
            changes=Changes.of(flips, len(labels), after.each),
            shares=(accuracy.top1(before.scores, after.labels), accuracy.top1(after.scores, after.labels)),
            output=output,
            names=names,
        )

    @property
    def judged_classes(self) -> tuple[ClassPair, ...]:
        """The classes that have images; none if only one has, because its recall is the accuracy."""
        known = tuple(pair for pair in self.classes if pair.images)
        return known if len(known) > 1 else ()

    def positive(self) -> list[ClassPair]:
        """Return the positive class, if it is judged; of labels the images that each applies to."""
        return [pair for pair in self.judged_classes if self.names.is_positive(pair)]

    def not_positive(self) -> list[ClassPair]:
        """Return the other classes that are judged."""
        return [pair for pair in self.judged_classes if not self.names.is_positive(pair)]

    @property
    def flips(self) -> int:
        """How many decisions changed."""
        return sum(self.changes.changed)


@dataclass(frozen=True)
class _Losses:
    """What got worse in a variant by more than chance, and whether its accuracy got better."""

    overall: bool
    classes: tuple[bool, ...]
    gain: bool


def judge_answers(variants: Sequence[PairedAnswers], limits: Limits) -> list[list[Finding]]:
    """Return the findings of every variant: its accuracy, and the recall of each class that has images."""
    return [
        [_of_accuracy(answers, losses, limits), *_of_classes(answers, losses, limits)]
        for answers, losses in zip(variants, _losses_of(variants), strict=True)
    ]


def _losses_of(variants: Sequence[PairedAnswers]) -> list[_Losses]:
    """Judge three families: accuracies, recalls of the positive class, and recalls of all other classes.

    Many classes then never hide a loss of accuracy, and changes in other classes never hide that the positive
    class is missed.
    """
    overall = hochberg([_loss_of(answers.paired) for answers in variants], LOSS_ERROR)
    gained = hochberg([_change_of(answers.paired) for answers in variants], GAIN_ERROR)
    positive, others = (
        iter(hochberg([one for family in families for one in hypotheses_of(family)], LOSS_ERROR))
        for families in (
            [answers.positive() for answers in variants],
            [answers.not_positive() for answers in variants],
        )
    )
    return [
        _Losses(
            overall=loss,
            classes=tuple(
                next(positive if answers.names.is_positive(pair) else others)
                for pair in answers.judged_classes
            ),
            gain=gain and answers.paired.only_variant > answers.paired.only_reference,
        )
        for answers, loss, gain in zip(variants, overall, gained, strict=True)
    ]


def _loss_of(paired: Paired) -> Hypothesis:
    return Hypothesis(paired.loss_p(), exact_least_p(paired.changed_images))


def _change_of(paired: Paired) -> Hypothesis:
    return Hypothesis(paired.mcnemar_p(), 2 * exact_least_p(paired.changed_images))


def _of_accuracy(answers: PairedAnswers, losses: _Losses, limits: Limits) -> Finding:
    paired, limit = answers.paired, limits.min_retention
    agreement, images = Interval(*answers.changes.interval), answers.changes.images
    least = accuracy.least_agreement(images, limits.min_agreement)
    agrees = agreement.low >= least
    verdict = judge_accuracy(paired.retention, limit, losses.overall, losses.gain, agrees)
    noun = "labels" if answers.output.kind == "labels" else "images"
    sentence = reasons.of_accuracy(paired, answers.flips, limit, verdict, noun)
    if losses.gain and not agrees and verdict is Verdict.UNDECIDED:
        sentence += class_reasons.of_other_predictions(answers.changes.agreement, agreement, least)
    if answers.flips:
        sentence += class_reasons.beside_accuracy(answers.classes, answers.shares, answers.names)
    before, after = answers.shares
    return answers.finding(
        quantity=Quantity.ACCURACY,
        verdict=verdict,
        sentence=sentence,
        ratio=paired.retention,
        interval=paired.retention_ci95(),
        confidence=0.95,
        p=paired.loss_p(),
        limit=limit,
        baseline=before,
        candidate=after,
        unit="share right",
        flips=answers.flips,
    )


def _of_classes(answers: PairedAnswers, losses: _Losses, limits: Limits) -> Iterator[Finding]:
    """Yield a finding for each class with images: the positive class first, then the worst."""
    known = zip(answers.judged_classes, losses.classes, strict=True)
    for pair, is_lost in sorted(known, key=lambda each: _rank(each[0], answers.names)):
        yield _of_class(pair, is_lost, answers, limits.min_retention)


def _rank(pair: ClassPair, names: ClassNames) -> tuple[bool, float]:
    retention = pair.paired.retention
    return not names.is_positive(pair), 1.0 if retention is None else retention


def _of_class(pair: ClassPair, is_lost: bool, answers: PairedAnswers, limit: float) -> Finding:
    paired = pair.paired
    verdict = judge_recall(paired.retention, limit, is_lost)
    return answers.finding(
        quantity=Quantity.RECALL,
        class_name=answers.names.name_of(pair),
        is_positive=answers.names.is_positive(pair),
        verdict=verdict,
        sentence=class_reasons.of_recall(pair, limit, verdict, answers.names),
        ratio=paired.retention,
        interval=paired.retention_ci95(),
        confidence=0.95,
        p=pair.loss_p(),
        limit=limit,
        baseline=pair.reference_recall,
        candidate=pair.recall,
        unit="share right",
        images=pair.images,
        newly_missed=paired.only_reference,
    )
