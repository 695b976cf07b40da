"""Tables of each class: its figures, and what it is taken for. Pure: it draws nothing."""

from dataclasses import dataclass, replace

from bench.report.confusion import Confusion, confusion_of_logits
from bench.report.figures import figures_of
from bench.report.schema import Accuracy, BundleRecord, ClassAccuracy, Evaluation, Report, Run

_MOST_ROWS = 40
_MOST_PAIRS = 20

Answers = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ConfusionCell:
    """How many images of a class are taken for a class."""

    count: int
    """The number of images."""
    share: float
    """Their share of the images of the class."""
    is_right: bool
    """Whether it is the class that they are of."""


@dataclass(frozen=True)
class ClassRow:
    """A class."""

    index: int
    """Its index in the output, which its column has."""
    name: str
    """Its name."""
    images: int
    """The number of its images."""
    figures: tuple[str, ...]
    """Its recall, precision, F1 and area under the ROC curve."""
    cells: tuple[ConfusionCell, ...]
    """What it is taken for; nothing of many classes."""

    @property
    def title(self) -> str:
        """Its index and its name; of a class that nobody named its name says the index."""
        is_said = self.name in (f"class {self.index}", str(self.index))
        return self.name if is_said else f"{self.index} {self.name}"


@dataclass(frozen=True)
class ConfusedRow:
    """Two classes that are confused."""

    right: str
    """The class that the images are of."""
    given: str
    """The class that they are taken for."""
    images: int
    """How many images that are."""
    class_images: int
    """How many images the class has."""


@dataclass(frozen=True)
class ClassTable:
    """The classes as some variants classify them, whose figures are the same."""

    whose: str
    """The names of the variants."""
    columns: tuple[str, ...]
    """The names of the classes in the order of the columns; empty of many classes, which have none."""
    rows: tuple[ClassRow, ...]
    """The classes."""
    left_out: int
    """How many classes are not shown."""
    pairs: tuple[ConfusedRow, ...]
    """The most frequent confusions; nothing where the rows have cells."""
    pairs_left_out: int
    """How many pairs of classes that are confused are not shown."""


def confusion_words(right: str, given: str, images: int, class_images: int) -> str:
    """Say how many images of a class are taken for another class."""
    return f"'{right}' taken for '{given}': {images} of {class_images}"


def class_tables(report: Report, most_columns: int) -> tuple[ClassTable, ...]:
    """Return a table of the reference, and one for each variant whose figures are others.

    Nothing without classes, and of several labels, each of which has figures of its own. More classes than
    `most_columns` are no longer read across: then the most frequent confusions are listed.
    """
    bundle, evaluation = report.bundle, report.evaluation
    if bundle is None or evaluation is None or not _has_classes(evaluation):
        return ()
    reference = evaluation.reference_logits
    figures = figures_of(reference, evaluation)
    every = [(bundle.reference, _table(bundle, evaluation, reference, figures, most_columns))]
    every += [
        (run.case, table)
        for run in report.runs
        if (table := class_table_of(report, run, most_columns)) is not None
    ]
    names: dict[ClassTable, list[str]] = {}
    for name, table in every:
        names.setdefault(table, []).append(name)
    return tuple(replace(table, whose=", ".join(cases)) for table, cases in names.items())


def class_table_of(report: Report, run: Run, most_columns: int) -> ClassTable | None:
    """Return the table of one row, without a name; None without classes."""
    logits = None if run.completed is None else run.completed.logits
    bundle, evaluation, figures = report.bundle, report.evaluation, run.accuracy
    if bundle is None or evaluation is None or logits is None or figures is None:
        return None
    return _table(bundle, evaluation, logits, figures, most_columns) if _has_classes(evaluation) else None


def _has_classes(evaluation: Evaluation) -> bool:
    return evaluation.gap is None and evaluation.output.kind == "classes"


def _table(
    bundle: BundleRecord, evaluation: Evaluation, logits: Answers, figures: Accuracy, most_columns: int
) -> ClassTable:
    """Return the table of some answers. Of too many classes it has those with the lowest recall."""
    confusion = confusion_of_logits(bundle, evaluation, logits, most_columns)
    recalls = list(figures.by_class)
    if confusion is None:
        recalls.sort(key=lambda each: each.recall)
    pairs = () if confusion is not None else figures.confused[:_MOST_PAIRS]
    return ClassTable(
        whose="",
        columns=() if confusion is None else confusion.names,
        rows=tuple(_row(bundle, each, confusion) for each in recalls[:_MOST_ROWS]),
        left_out=max(0, len(recalls) - _MOST_ROWS),
        pairs=tuple(
            ConfusedRow(
                bundle.class_name(pair.index),
                bundle.class_name(pair.given_index),
                pair.images,
                pair.class_images,
            )
            for pair in pairs
        ),
        pairs_left_out=0 if confusion is not None else figures.confused_pairs - len(pairs),
    )


def _row(bundle: BundleRecord, class_: ClassAccuracy, confusion: Confusion | None) -> ClassRow:
    at = class_.index
    columns = () if confusion is None else range(len(confusion.names))
    return ClassRow(
        index=at,
        name=bundle.class_name(at),
        images=class_.images,
        figures=tuple(map(_share, (class_.recall, class_.precision, class_.f1, class_.auc))),
        cells=tuple(
            ConfusionCell(confusion.counts[at][column], confusion.share(at, column), at == column)
            for column in columns
            if confusion is not None
        ),
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
