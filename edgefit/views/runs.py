"""Shows a run folder's record as a table. Pure: a record in, a rich renderable out."""

from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from bench.render.lines import line
from bench.report.class_tables import confusion_words
from models.records import MetricEstimate, RunRecord

_TWO_CLASSES = 2
_MOST_SHOWN = 3


def run_view(record: RunRecord, out: Path) -> RenderableType:
    """Show the figures on validation and test images, with intervals, and the settings of the training."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for title in ("split", "images", "accuracy", "AUC", "sensitivity", "specificity"):
        table.add_column(title, justify="left" if title == "split" else "right", no_wrap=True)
    for name, evaluation in (("validation", record.metrics.validation), ("test", record.metrics.test)):
        figures = (
            evaluation.accuracy,
            evaluation.auc,
            evaluation.sensitivity,
            evaluation.specificity,
        )
        table.add_row(name, str(evaluation.images), *(_figure(figure) for figure in figures))
    training = record.training
    subject = (
        f"{record.name}: {record.arch} at {record.image_size}×{record.image_size}, "
        f"weights {record.weights.name}, data {record.data.name}"
    )
    course = (
        f"{training.epochs_run} of {training.epochs} epochs in {training.seconds:.0f} s, the best was "
        f"{training.best_epoch}; below each figure its 95 % interval"
    )
    lines = [*_positive(record), *_by_class(record), f"run folder: {out}"]
    return Group(line(subject), line(course), table, *map(line, lines))


def _positive(record: RunRecord) -> list[str]:
    if record.positive_name is None:
        return []
    return [f"positive class, of sensitivity: {record.positive_name}"]


def _figure(figure: MetricEstimate | None) -> str:
    if figure is None:
        return "–"
    if figure.ci95 is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f}\n{figure.ci95[0]:.3f}–{figure.ci95[1]:.3f}"


def _by_class(record: RunRecord) -> list[str]:
    """Say what the test images of each of two classes were taken for; of more classes the worst alone."""
    test = record.metrics.test
    if len(record.classes) > _TWO_CLASSES and test.by_class:
        return [*_lowest_recalls(record), *_most_confused(record)]
    rows = (
        f"{name}: "
        + ", ".join(
            f"{count} classified as {predicted}" for predicted, count in zip(record.classes, row, strict=True)
        )
        for name, row in zip(record.classes, test.confusion, strict=True)
    )
    return ["test images by class: " + "; ".join(rows)]


def _lowest_recalls(record: RunRecord) -> list[str]:
    """Return the classes that are recognised least."""
    recalls = [
        (figures.recall, name, figures.images)
        for name, figures in zip(record.classes, record.metrics.test.by_class, strict=True)
        if figures.recall is not None
    ]
    lowest = sorted(recalls)[:_MOST_SHOWN]
    listed = ", ".join(f"'{name}' {recall:.3f} of {images} images" for recall, name, images in lowest)
    return [f"classes with the lowest recall on test images: {listed}; all {len(recalls)} are in run.json"]


def _most_confused(record: RunRecord) -> list[str]:
    """Return the classes that are confused on most test images."""
    test = record.metrics.test
    listed = "; ".join(
        confusion_words(record.classes[right], record.classes[given], images, test.by_class[right].images)
        for right, given, images in test.confused[:_MOST_SHOWN]
    )
    return [f"most confused classes: {listed}"] if listed else []
