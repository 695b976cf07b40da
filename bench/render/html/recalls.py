"""The page's table of the recall of each class, for every variant. Pure: it draws nothing."""

from dataclasses import dataclass

from bench.report.class_recall import Classes, named
from bench.report.predictions import Predictions
from bench.report.retention import MARGIN
from bench.report.schema import ClassAccuracy, Report, Run

# A reader compares no more classes; the report has the others.
_MOST_CLASSES = 40


@dataclass(frozen=True)
class RecallCell:
    """A variant's recall of a class."""

    text: str
    """The recall."""
    is_lost: bool
    """Whether the variant loses the class by more than chance."""


@dataclass(frozen=True)
class RecallRow:
    """A class."""

    name: str
    """Its name."""
    is_positive: bool
    """Whether it is the positive class."""
    images: int
    """The number of its images."""
    reference: str
    """The reference's recall."""
    cells: tuple[RecallCell, ...]
    """The recall of each variant."""

    @property
    def title(self) -> str:
        """Its name, and whether it is the positive class."""
        return f"{self.name} (positive)" if self.is_positive else self.name


@dataclass(frozen=True)
class Recalls:
    """The recall of each class for each variant, the positive class first."""

    variants: tuple[str, ...]
    """The names of the variants."""
    rows: tuple[RecallRow, ...]
    """The classes."""
    left_out: int
    """How many classes are not shown."""
    has_lost: bool
    """Whether any variant loses a class."""


def recalls_of(report: Report) -> Recalls | None:
    """Return the table of a report; None where no image has a class.

    Classes that a variant loses come before the others, so that none of them is left out.
    """
    runs = [run for run in report.runs if run.accuracy is not None and run.accuracy.by_class]
    if not runs:
        return None
    lost = {run.case: _lost(report, run) for run in runs}
    any_lost = set().union(*lost.values())
    first, *others = ([] if run.accuracy is None else run.accuracy.by_class for run in runs)
    rows = [
        _row(report, figures, [lost[run.case] for run in runs])
        for figures in zip(first, *others, strict=True)
    ]
    rows.sort(key=lambda row: (not row.is_positive, not any(cell.is_lost for cell in row.cells)))
    return Recalls(
        variants=tuple(run.case for run in runs),
        rows=tuple(rows[:_MOST_CLASSES]),
        left_out=max(0, len(rows) - _MOST_CLASSES),
        has_lost=bool(any_lost),
    )


def _lost(report: Report, run: Run) -> set[tuple[int, bool]]:
    """Return the classes that a variant loses, by the rule of `choose`."""
    logits, evaluation = None if run.completed is None else run.completed.logits, report.evaluation
    predictions = None if logits is None or evaluation is None else Predictions.of(logits, evaluation)
    classes = Classes.of(report.bundle, evaluation, predictions)
    limit = report.profile.budget.retention
    least = 1.0 if limit is None else limit - MARGIN
    return set() if classes is None else {(pair.index, pair.applies) for pair in classes.lost(least)}


def _row(report: Report, figures: tuple[ClassAccuracy, ...], lost: list[set[tuple[int, bool]]]) -> RecallRow:
    class_ = figures[0]
    positive = None if report.evaluation is None else report.evaluation.positive_class
    return RecallRow(
        name="" if report.bundle is None else named(report.bundle, class_),
        is_positive=positive == class_.index,
        images=class_.images,
        reference=f"{class_.reference_recall:.3f}",
        cells=tuple(
            RecallCell(f"{each.recall:.3f}", (each.index, each.applies) in of_variant)
            for each, of_variant in zip(figures, lost, strict=True)
        ),
    )
