"""The columns of a report's table. A column is one row here: terminal, Markdown, CSV and page derive from it.

A row has the column's value, format, explanation, place, and which values are best. Pure: it draws nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from bench.report.class_recall import is_unbalanced
from bench.report.schema import (
    Accuracy,
    LabelAccuracy,
    OutputsComparison,
    RelativeLatency,
    Report,
    Run,
    Summary,
)
from bench.statistics.replication import Interval
from bench.units import MJ_PER_J, mb, mib, ms, written

_PERCENT = 100


class Best(Enum):
    """Which value of a column is best."""

    LOWEST = "lowest"
    HIGHEST = "highest"
    NEITHER = "neither"


class ColumnPlace(Enum):
    """Where a column is shown. The page and the CSV file have all columns."""

    ALWAYS = "always"
    """On every terminal and in Markdown."""
    OFTEN = "often"
    """In Markdown, and on a terminal that has room for it. OFTEN comes before WIDE."""
    WIDE = "wide"
    """On a terminal that has room for it."""
    FILE = "file"
    """On the page and in the CSV file only."""


class Subject(Enum):
    """Which reports can have a value in a column."""

    ANY = "any"
    """All."""
    BUNDLE = "bundle"
    """Those of bundles, which have a reference."""
    SEVERAL = "several"
    """Those of bundles with labels, and more than two classes or several labels."""
    MANY = "many"
    """Those of bundles with labels, and more than five classes."""
    VALUES = "values"
    """Those of bundles whose output holds no classes."""
    OUTPUTS = "outputs"
    """Those of model files: the comparison of their outputs with those of the reference, the first file."""


@dataclass(frozen=True)
class Column:
    """A column of numbers."""

    key: str
    """Its name in CSV and on the page, with its unit."""
    title: str
    """Its heading, with a line break where a terminal breaks it."""
    explanation: str
    """What its numbers mean, for the page."""
    value: Callable[[Run], float | None]
    """A row's number; None where there is none."""
    digits: int
    """Digits after the decimal point."""
    best: Best = Best.NEITHER
    """Which value is best."""
    place: ColumnPlace = ColumnPlace.WIDE
    """Where it is shown."""
    suffix: str = ""
    """Text after the number where it is shown."""
    factor: float = 1.0
    """Shown number ÷ value."""
    is_within_group: bool = False
    """Whether its values can be compared within a group only: the machine's speed differs between groups."""
    subject: Subject = Subject.ANY
    """Which reports can have a value."""

    @property
    def heading(self) -> str:
        """Its title in one line."""
        return self.title.replace("-\n", "").replace("\n", " ")

    def text(self, run: Run) -> str:
        """Return a row's value as it is written."""
        value = self.value(run)
        return "–" if value is None else f"{written(value * self.factor, self.digits)}{self.suffix}"


def _of(accessor: Callable[[Summary], float | None]) -> Callable[[Run], float | None]:
    """Return an accessor for a row's summary; None where the row has none."""
    return lambda run: None if run.summary is None else accessor(run.summary)


def _ms(accessor: Callable[[Summary], float | None]) -> Callable[[Run], float | None]:
    """Return an accessor that gives nanoseconds of a row's summary in milliseconds."""
    return lambda run: _scaled(None if run.summary is None else accessor(run.summary), ms)


def _of_accuracy(accessor: Callable[[Accuracy], float | None]) -> Callable[[Run], float | None]:
    """Return an accessor for a row's accuracy; None where it was not evaluated."""
    return lambda run: None if run.accuracy is None else accessor(run.accuracy)


def _of_outputs(accessor: Callable[[OutputsComparison], float | None]) -> Callable[[Run], float | None]:
    """Return an accessor for the comparison of a row's outputs; None where they were not compared."""
    return lambda run: None if run.outputs is None else accessor(run.outputs)


def _scaled(value: float | None, unit: Callable[[float], float]) -> float | None:
    return None if value is None else unit(value)


def _half_width(summary: Summary) -> float | None:
    """Return half of the interval of the median, as a share of the median."""
    interval = summary.latency.p50_ci95_ns
    return None if interval is None else Interval(*interval).half_width


def _speed_up(relative: RelativeLatency | None) -> float | None:
    return None if relative is None else 1 / relative.ratio


def _speed_up_end(relative: RelativeLatency | None, end: int) -> float | None:
    return None if relative is None or relative.ci95 is None else 1 / relative.ci95[end]


def _peak_mib(run: Run) -> float | None:
    """Return the peak memory, or the memory after loading where the kernel records no peak."""
    return None if run.completed is None else mib(run.completed.memory.highest_bytes)


def _device_mib(run: Run) -> float | None:
    return None if run.completed is None else _scaled(run.completed.memory.device_bytes, mib)


def _macs_as_requested(run: Run) -> float | None:
    """Return the share of multiply-accumulates that ran in the requested precision."""
    ran = None if run.summary is None else run.summary.precision_ran
    if ran is None or ran.share_of_macs is None or run.precision is None:
        return None
    return ran.share_of_macs.get(run.precision.value, 0.0)


def _retention_end(accuracy: Accuracy, end: int) -> float | None:
    retention = accuracy.retention
    return None if retention is None or retention.ci95 is None else retention.ci95[end]


@dataclass(frozen=True)
class LabelFigure:
    """A figure that each of several labels has."""

    title: str
    """Its name."""
    explanation: str
    """What it is, for the page."""
    value: Callable[[LabelAccuracy], float | None]
    """Its value; None where it cannot be computed."""


_LABEL_FIGURES = (
    LabelFigure("AUC", "area under the receiver operating characteristic", lambda figures: figures.auc),
    LabelFigure(
        "sensitivity", "share of the images with it that are found", lambda figures: figures.sensitivity
    ),
    LabelFigure(
        "specificity", "share of the images without it that are left", lambda figures: figures.specificity
    ),
    LabelFigure("F1", "harmonic mean of precision and sensitivity", lambda figures: figures.f1),
)
_IN_PLACE_OF_ACCURACY = ("agreement", "sqnr_db")
_TWO_CLASSES = 2
_TOP = 5

REFERENCE = "ref."
EXACT = "exact"

_LOW, _HIGH = Best.LOWEST, Best.HIGHEST
_ALWAYS, _OFTEN, _FILE = ColumnPlace.ALWAYS, ColumnPlace.OFTEN, ColumnPlace.FILE

COLUMNS = (
    Column(
        "p50_ms",
        "p50\nms",
        "median of one inference, from the inputs in memory to the outputs in memory",
        _ms(lambda summary: summary.latency.p50_ns),
        2,
        _LOW,
        _ALWAYS,
        is_within_group=True,
    ),
    Column(
        "p50_half_width",
        "±\n%",
        "half of the 95 % interval of the median, over fresh processes",
        _of(_half_width),
        1,
        place=_ALWAYS,
        factor=_PERCENT,
    ),
    Column(
        "p90_ms",
        "p90\nms",
        "90 % of the inferences were faster",
        _ms(lambda summary: summary.latency.p90_ns),
        2,
        _LOW,
        _FILE,
        is_within_group=True,
    ),
    Column(
        "p95_ms",
        "p95\nms",
        "95 % of the inferences were faster; missing where there are too few samples",
        _ms(lambda summary: summary.latency.p95_ns),
        2,
        _LOW,
        _OFTEN,
        is_within_group=True,
    ),
    Column(
        "p99_ms",
        "p99\nms",
        "99 % of the inferences were faster; missing where there are too few samples",
        _ms(lambda summary: summary.latency.p99_ns),
        2,
        _LOW,
        is_within_group=True,
    ),
    Column(
        "p95_upper_ms",
        "p95 ms, upper bound",
        "upper bound of p95 with 99 % confidence",
        _ms(lambda summary: summary.latency.p95_upper_ns),
        2,
        place=_FILE,
    ),
    Column(
        "p99_upper_ms",
        "p99 ms, upper bound",
        "upper bound of p99 with 99 % confidence",
        _ms(lambda summary: summary.latency.p99_upper_ns),
        2,
        place=_FILE,
    ),
    Column(
        "speed_up",
        "vs\nfp32",
        "speed relative to the same format in fp32, paired block by block",
        _of(lambda summary: _speed_up(summary.relative_to_fp32)),
        2,
        _HIGH,
        _ALWAYS,
        "×",
        subject=Subject.BUNDLE,
    ),
    Column(
        "speed_up_low",
        "vs fp32, low",
        "lower end of the 95 % interval of vs fp32",
        _of(lambda summary: _speed_up_end(summary.relative_to_fp32, 1)),
        2,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "speed_up_high",
        "vs fp32, high",
        "upper end of the 95 % interval of vs fp32",
        _of(lambda summary: _speed_up_end(summary.relative_to_fp32, 0)),
        2,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "relative_to_control",
        "rel. to\ncontrol",
        "latency ÷ the latency of the control workload, a small fixed network measured in the same run",
        _of(
            lambda summary: None if summary.relative_to_control is None else summary.relative_to_control.ratio
        ),
        2,
        _LOW,
        _FILE,
    ),
    Column(
        "projected_low_ms",
        "projected ms, from",
        "lower end of the projected latency on the device: a range, not a measurement",
        lambda run: None if run.projected is None else ms(run.projected.low_ns),
        2,
        place=_FILE,
    ),
    Column(
        "projected_high_ms",
        "projected ms, to",
        "upper end of the projected latency on the device: a range, not a measurement",
        lambda run: None if run.projected is None else ms(run.projected.high_ns),
        2,
        place=_FILE,
    ),
    Column(
        "load_ms",
        "load\nms",
        "time to load the file into a session, median over fresh processes",
        _ms(lambda summary: summary.load_ns),
        0,
    ),
    Column(
        "first_inference_ms",
        "first\nms",
        "the first inference of a fresh process, median",
        _ms(lambda summary: summary.first_inference_ns),
        1,
    ),
    Column(
        "settled_ms",
        "settled\nms",
        "latency in the last quarter of a sustained run, settled or not",
        _ms(lambda summary: None if summary.sustained is None else summary.sustained.settled_ns),
        2,
        place=_FILE,
    ),
    Column(
        "peak_memory_mib",
        "peak\nMiB",
        "peak resident memory of a process; memory after loading where the kernel records no peak",
        _peak_mib,
        0,
        _LOW,
        _ALWAYS,
    ),
    Column(
        "device_memory_mib",
        "GPU\nMiB",
        "additional memory on the accelerator",
        _device_mib,
        0,
        _LOW,
    ),
    Column(
        "size_mb",
        "size\nMB",
        "size of all files of the artifact, in 10⁶ bytes, without the runtime",
        lambda run: _scaled(run.size_bytes, mb),
        2,
        _LOW,
        _ALWAYS,
    ),
    Column(
        "energy_mj",
        "mJ",
        "energy of one inference, in millijoules; idle power is not subtracted",
        _of(lambda summary: _scaled(summary.energy_per_inference_j, lambda joules: joules * MJ_PER_J)),
        0,
        _LOW,
    ),
    Column(
        "macs_as_asked",
        "ran as\nrequested",
        "share of multiply-accumulates that ran in the requested precision; for a model file, in its graph's",
        _macs_as_requested,
        0,
        suffix="%",
        factor=_PERCENT,
    ),
    Column(
        "top1",
        "accu-\nracy",
        "share of the evaluation images with the right class; of several labels, share of all labels",
        _of_accuracy(lambda accuracy: accuracy.top1),
        3,
        _HIGH,
        _OFTEN,
        subject=Subject.BUNDLE,
    ),
    Column(
        "balanced_accuracy",
        "bal.\nacc.",
        "balanced accuracy: mean over the classes of the share of their images with the right class",
        _of_accuracy(lambda accuracy: accuracy.balanced_accuracy),
        3,
        _HIGH,
        _FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "sensitivity",
        "sensi-\ntivity",
        "share of the positive images that it classifies as positive",
        _of_accuracy(lambda accuracy: accuracy.sensitivity),
        3,
        _HIGH,
        _FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "auc",
        "AUC",
        "area under the receiver operating characteristic; for two classes",
        _of_accuracy(lambda accuracy: accuracy.auc),
        3,
        _HIGH,
        subject=Subject.BUNDLE,
    ),
    Column(
        "retention",
        "reten-\ntion",
        "accuracy ÷ the fp32 network's, or the source's",
        _of_accuracy(lambda accuracy: None if accuracy.retention is None else accuracy.retention.value),
        3,
        _HIGH,
        _ALWAYS,
        subject=Subject.BUNDLE,
    ),
    Column(
        "retention_low",
        "95 %\nlow",
        "lower end of retention's 95 % interval",
        _of_accuracy(lambda accuracy: _retention_end(accuracy, 0)),
        3,
        subject=Subject.BUNDLE,
    ),
    Column(
        "retention_high",
        "95 % high",
        "upper end of retention's 95 % interval",
        _of_accuracy(lambda accuracy: _retention_end(accuracy, 1)),
        3,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "specificity",
        "speci-\nficity",
        "share of the negative images that it classifies as negative",
        _of_accuracy(lambda accuracy: accuracy.specificity),
        3,
        _HIGH,
        _FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "reference_sensitivity",
        "sensitivity of the reference",
        "the fp32 network's sensitivity on the same images, or the source's",
        _of_accuracy(lambda accuracy: accuracy.reference_sensitivity),
        3,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "reference_specificity",
        "specificity of the reference",
        "the fp32 network's specificity on the same images, or the source's",
        _of_accuracy(lambda accuracy: accuracy.reference_specificity),
        3,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "agreement",
        "agree-\nment",
        "share of the images with the fp32 network's class, or the source's",
        _of_accuracy(lambda accuracy: accuracy.agreement),
        3,
        _HIGH,
        subject=Subject.BUNDLE,
    ),
    Column(
        "f1",
        "F1",
        "F1 of the positive class; of several classes or labels the mean over them",
        _of_accuracy(lambda accuracy: accuracy.f1),
        3,
        _HIGH,
        _FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "macro_auc",
        "macro\nAUC",
        "mean area under the receiver operating characteristic: of each class against all others, or of each "
        "label",
        _of_accuracy(lambda accuracy: accuracy.macro_auc),
        3,
        _HIGH,
        subject=Subject.SEVERAL,
    ),
    Column(
        "auc_low",
        "AUC, low",
        "lower end of the 95 % interval of the AUC, or of the macro AUC, over images",
        _of_accuracy(lambda accuracy: None if accuracy.auc_ci95 is None else accuracy.auc_ci95[0]),
        3,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "auc_high",
        "AUC, high",
        "upper end of the 95 % interval of the AUC, or of the macro AUC, over images",
        _of_accuracy(lambda accuracy: None if accuracy.auc_ci95 is None else accuracy.auc_ci95[1]),
        3,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "top5",
        "top 5",
        "share of the images whose class is among the five highest scores",
        _of_accuracy(lambda accuracy: accuracy.top5),
        3,
        _HIGH,
        subject=Subject.MANY,
    ),
    Column(
        "cosine",
        "cosine",
        "mean cosine similarity of the values with the source's",
        _of_accuracy(lambda accuracy: accuracy.cosine),
        4,
        _HIGH,
        _OFTEN,
        subject=Subject.VALUES,
    ),
    Column(
        "sqnr_db",
        "SQNR\ndB",
        "signal-to-quantisation-noise ratio of the judged output, with the fp32 network's or the source's as "
        "the signal; exact where both are equal",
        _of_accuracy(lambda accuracy: accuracy.sqnr_db),
        1,
        place=_FILE,
        subject=Subject.BUNDLE,
    ),
    Column(
        "output_agreement",
        "agree-\nment",
        "share of the items that get the same class as from the reference, the run's first file, on the same "
        "inputs; the lowest of all outputs",
        _of_outputs(lambda outputs: outputs.agreement),
        3,
        _HIGH,
        _ALWAYS,
        subject=Subject.OUTPUTS,
    ),
    Column(
        "output_cosine",
        "cosine",
        "mean cosine similarity with the reference's outputs; the lowest of all outputs",
        _of_outputs(lambda outputs: outputs.cosine),
        4,
        _HIGH,
        _OFTEN,
        subject=Subject.OUTPUTS,
    ),
    Column(
        "output_sqnr_db",
        "SQNR\ndB",
        "signal-to-quantisation-noise ratio with the reference's outputs as the signal; the lowest of all "
        "outputs, missing where all are equal",
        _of_outputs(lambda outputs: outputs.sqnr_db),
        1,
        _HIGH,
        subject=Subject.OUTPUTS,
    ),
)


def column_of(key: str) -> Column:
    """Return the column of this name."""
    return next(column for column in COLUMNS if column.key == key)


def applies_to_any(subject: Subject, reports: Sequence[Report]) -> bool:
    """Tell whether any of the reports can have a value in a column of this subject."""
    return any(subject in _subjects(report) for report in reports) or subject is Subject.ANY


def _subjects(report: Report) -> set[Subject]:
    evaluation = report.evaluation
    if evaluation is None:
        return {Subject.OUTPUTS}
    if evaluation.output.kind == "values":
        return {Subject.BUNDLE, Subject.VALUES}
    values = len(evaluation.reference_logits[0])
    has_labels, is_one_class = evaluation.gap is None, evaluation.output.kind == "classes"
    is_several = has_labels and (values > _TWO_CLASSES or not is_one_class)
    is_many = has_labels and is_one_class and values > _TOP
    return {
        Subject.BUNDLE,
        *([Subject.SEVERAL] if is_several else []),
        *([Subject.MANY] if is_many else []),
    }


def columns_of(reports: Sequence[Report]) -> list[Column]:
    """Return the columns in which the reports can have a value."""
    known = [column for column in COLUMNS if applies_to_any(column.subject, reports)]
    return [*known, *_own_columns(reports)]


def _own_columns(reports: Sequence[Report]) -> list[Column]:
    """Return a column for each metric of the user's own, and four for each of several labels."""
    runs = [run for report in reports for run in report.runs]
    names = dict.fromkeys(metric.name for run in runs for metric in run.metrics)
    labels = dict.fromkeys(
        (figures.label, report.bundle.class_name(figures.label))
        for report in reports
        for run in report.runs
        if run.accuracy is not None and report.bundle is not None
        for figures in run.accuracy.by_label
    )
    return [
        *map(_metric_column, names),
        *(_label_column(label, name, figure) for label, name in labels for figure in _LABEL_FIGURES),
    ]


def _metric_column(name: str) -> Column:
    def value(run: Run) -> float | None:
        return next((metric.value for metric in run.metrics if metric.name == name), None)

    title = name.rpartition(":")[2]
    explanation = f"{name}, a metric of the user's own, computed where the report was made"
    return Column(name, title, explanation, value, 3, place=_OFTEN, subject=Subject.BUNDLE)


def _label_column(label: int, name: str, figure: LabelFigure) -> Column:
    def value(run: Run) -> float | None:
        by_label = () if run.accuracy is None else run.accuracy.by_label
        return next((figure.value(figures) for figures in by_label if figures.label == label), None)

    explanation = f"{figure.explanation} of the label {name}"
    title = f"{figure.title}, {name}"
    key = f"{figure.title.lower()}[{name}]"
    return Column(key, title, explanation, value, 3, _HIGH, _FILE, subject=Subject.BUNDLE)


def cell_of(column: Column, run: Run, report: Report) -> str:
    """Return a row's value as it is written. The reference has no comparison with itself, and says so."""
    if column.subject is Subject.OUTPUTS and run.case == report.reference_case:
        return REFERENCE
    is_exact = column.key == "sqnr_db" and run.accuracy is not None and run.accuracy.sqnr_db is None
    return EXACT if is_exact else column.text(run)


def available_columns(*reports: Report) -> list[Column]:
    """Return the columns that have a value for at least one variant of the reports."""
    variants = [run for report in reports for run in report.runs if run.is_variant]
    columns = [*COLUMNS, *_own_columns(reports)]
    return [column for column in columns if any(column.value(run) is not None for run in variants)]


def place_in(column: Column, report: Report) -> ColumnPlace:
    """Return where a column of a report is shown.

    Between several groups only the ratio to the control workload can be compared. It is then always shown.
    So is what stands in for accuracy where there is none, and what tells more than accuracy.
    """
    if column.key == "relative_to_control" and report.has_groups:
        return ColumnPlace.ALWAYS
    if _tells_more_than_accuracy(column, report):
        return ColumnPlace.ALWAYS
    has_accuracy = report.evaluation is None or report.evaluation.gap is None
    return ColumnPlace.ALWAYS if column.key in _IN_PLACE_OF_ACCURACY and not has_accuracy else column.place


def _tells_more_than_accuracy(column: Column, report: Report) -> bool:
    """Tell whether accuracy can hide that a class is lost, and a column shows it."""
    evaluated = next((run.accuracy for run in report.runs if run.accuracy is not None), None)
    if evaluated is None or report.evaluation is None or report.evaluation.output.kind == "labels":
        return False
    is_rare = is_unbalanced([each.images for each in evaluated.by_class])
    if column.key == "balanced_accuracy":
        return is_rare or len(evaluated.by_class) > _TWO_CLASSES
    return column.key == "sensitivity" and is_rare


def best_cases(column: Column, report: Report) -> set[str]:
    """Return the cases that share a column's best value as it is written; none if most cases share it.

    Values that can be compared within a group only have no best in a report of several groups.
    """
    shown = {
        run.case: float(written(value * column.factor, column.digits))
        for run in report.runs
        if run.is_variant and run.status == "completed" and (value := column.value(run)) is not None
    }
    is_incomparable = column.is_within_group and report.has_groups
    if column.best is Best.NEITHER or not shown or is_incomparable:
        return set()
    best = min(shown.values()) if column.best is Best.LOWEST else max(shown.values())
    shared_by = {case for case, value in shown.items() if value == best}
    return shared_by if 2 * len(shared_by) <= len(shown) else set()
