"""The page's table: every row of every report, each number as text and as the value it is sorted by. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.render.columns import Column, columns
from bench.render.sentences import row_names
from bench.render.titles import titles_of
from bench.report.schema import Report, Run

# Columns that the terminal has no room for.
_HEADINGS = {
    "projected_low_ms": "projected ms, from",
    "projected_high_ms": "projected ms, to",
    "retention_high": "95 % high",
}
_EXPLAINED = {
    "p50_ms": "median of one inference, from float32 in memory to float32 in memory",
    "p50_half_width": "half of the 95 % interval of the median, over fresh processes",
    "p90_ms": "nine of ten inferences were faster",
    "p95_ms": "nineteen of twenty inferences were faster; missing where too few samples support it",
    "p99_ms": "ninety-nine of a hundred inferences were faster; missing where too few samples support it",
    "speed_up": "how many times as fast as the format's own fp32, paired turn by turn",
    "relative_to_control": "latency ÷ that of a small fixed network that took turns with it",
    "projected_low_ms": "lower end of what it should take on the device itself: a range, not a measurement",
    "projected_high_ms": "upper end of that range",
    "load_ms": "from the file to a session, median over fresh processes",
    "first_inference_ms": "the first inference of a fresh process, median",
    "settled_ms": "level of the last quarter of a run without a pause, settled or not",
    "peak_memory_mib": "the kernel's high-water mark of a process of its own",
    "device_memory_mib": "what the accelerator's memory holds more",
    "size_mb": "all files of the artifact, in 10⁶ bytes; its runtime is not counted",
    "energy_mj": "of one inference, in millijoules",
    "macs_as_asked": "share of multiply-accumulates that ran in the precision on the label",
    "top1": "share of the evaluation images with the right class",
    "auc": "area under the receiver operating characteristic",
    "retention": "accuracy ÷ the fp32 network's",
    "retention_low": "lower end of retention's 95 % interval",
    "retention_high": "upper end of retention's 95 % interval",
    "sensitivity": "share of the positive images that it finds",
    "specificity": "share of the negative images that it leaves alone",
    "agreement": "share of the images to which it gives the fp32 network's class",
}


@dataclass(frozen=True)
class HeadCell:
    """A column's head; `explained`: what its numbers are."""

    key: str
    title: str
    explained: str


@dataclass(frozen=True)
class Cell:
    """`value`: the report's own number, to sort by; None and `text` "–" where there is none."""

    key: str
    text: str
    value: float | None


@dataclass(frozen=True)
class TableRow:
    """One row of one report."""

    device: str
    name: str
    status: str
    provenance: str
    threads: int
    cells: tuple[Cell, ...]


def head_of(reports: Sequence[Report]) -> list[HeadCell]:
    """Return the heads of the columns in which any report has a number."""
    return [
        HeadCell(one.key, _HEADINGS.get(one.key, one.heading), _EXPLAINED[one.key]) for one in _told(reports)
    ]


def rows_of(reports: Sequence[Report]) -> list[TableRow]:
    """Return every variant's row of every report."""
    told = _told(reports)
    found = []
    for report, title in zip(reports, titles_of(reports), strict=True):
        names = row_names(report)
        for run in report.runs:
            if run.is_variant:
                found.append(_row(title, run, names[run.case], told))
    return found


def _row(device: str, run: Run, name: str, told: Sequence[Column]) -> TableRow:
    return TableRow(
        device=device,
        name=name,
        status=run.status,
        provenance=run.provenance,
        threads=run.threads,
        cells=tuple(_cell(run, column) for column in told),
    )


def _cell(run: Run, column: Column) -> Cell:
    return Cell(column.key, column.text(run), column.value(run))


def _told(reports: Sequence[Report]) -> list[Column]:
    runs = [run for report in reports for run in report.runs if run.is_variant]
    return [
        column
        for column in columns()
        if column.key in _EXPLAINED and any(column.value(run) is not None for run in runs)
    ]
