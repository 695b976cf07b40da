"""The page's table of all rows, and the images that changed their class. Pure: it draws nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.render.columns import Column, available_columns
from bench.render.text import titles_of
from bench.report.schema import Report, Run


@dataclass(frozen=True)
class HeadCell:
    """A column's head."""

    key: str
    """The column's name."""
    title: str
    """Its heading."""
    explanation: str
    """What its numbers mean."""


@dataclass(frozen=True)
class TableCell:
    """A row's value in one column."""

    key: str
    """The column's name."""
    text: str
    """The value as it is shown; `–` where there is none."""
    value: float | None
    """The report's own number, for sorting; None where there is none."""


@dataclass(frozen=True)
class TableRow:
    """One row of one report."""

    device: str
    name: str
    status: str
    provenance: str
    options: Mapping[str, object]
    """The run's options by their names, as in RunOptions."""
    cells: tuple[TableCell, ...]


def head_of(reports: Sequence[Report]) -> list[HeadCell]:
    """Return the heads of the columns that have a number in any report."""
    return [
        HeadCell(column.key, column.heading, column.explanation) for column in available_columns(*reports)
    ]


def rows_of(reports: Sequence[Report]) -> list[TableRow]:
    """Return every variant's row of every report."""
    columns = available_columns(*reports)
    return [
        _row(title, run, columns)
        for report, title in zip(reports, titles_of(reports), strict=True)
        for run in report.runs
        if run.is_variant
    ]


def _row(device: str, run: Run, columns: Sequence[Column]) -> TableRow:
    return TableRow(
        device=device,
        name=run.case,
        status=run.status,
        provenance=run.provenance,
        options=run.config.options.model_dump(),
        cells=tuple(_cell(run, column) for column in columns),
    )


def _cell(run: Run, column: Column) -> TableCell:
    return TableCell(column.key, column.text(run), column.value(run))


# A reader views no more images, and a page with more would be too large for an e-mail.
MOST_IMAGES = 60


@dataclass(frozen=True)
class Flip:
    """An evaluation image that some variants classify differently from the fp32 network."""

    index: int
    """Its index in the evaluation pack."""
    label: str
    """Its right class."""
    reference: str
    """The fp32 network's class."""
    variants: tuple[tuple[str, str], ...]
    """The cases that give another class, each with that class."""
    image: str | None
    """The image as a `data:` address; None where images are not shown."""


def flips_of(report: Report, thumbnail: Callable[[int], str] | None) -> list[Flip]:
    """Return the flipped images, ordered by their index in the evaluation pack."""
    classes = report.bundle.classes
    classes_of: dict[int, list[tuple[str, str]]] = {}
    for run in report.runs:
        logits = None if run.completed is None else run.completed.logits
        if run.accuracy is None or logits is None:
            continue
        for index in run.accuracy.flips:
            predicted = int(np.argmax(logits[index]))
            classes_of.setdefault(index, []).append((run.case, classes[predicted]))
    flips: list[Flip] = []
    for index in sorted(classes_of):
        flips.append(
            Flip(
                index=index,
                label=classes[report.evaluation.labels[index]],
                reference=classes[int(np.argmax(report.evaluation.reference_logits[index]))],
                variants=tuple(classes_of[index]),
                image=thumbnail(index) if thumbnail is not None and len(flips) < MOST_IMAGES else None,
            )
        )
    return flips
