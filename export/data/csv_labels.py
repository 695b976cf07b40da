"""Reads the labels of the images that a CSV file names. It opens no image."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.bundle.evaluation_pack import Labels
from bench.errors import InputError
from export.data.class_names import listed, order_notes, ordered_names
from models.sources.names import check_class_names, check_name
from user_files.image_tables import LABEL, PATIENTS, SEVERAL_LABELS, SPLITS, ImageTable, label_column
from user_files.printable import printable
from user_files.tables import Row, Table

_INDEX = re.compile(r"|unnamed: \d+")  # how pandas writes and reads an index
_WHOLE = re.compile(r"\d+(\.0+)?")
_ABSENT = re.compile(r"0(\.0+)?|false", re.IGNORECASE)
_PRESENT = re.compile(r"1(\.0+)?|true", re.IGNORECASE)


@dataclass(frozen=True)
class Labelling:
    """The labels of all rows."""

    labels: Labels | None
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def labelling(images: ImageTable, stated: tuple[str, ...]) -> Labelling:
    """Return the labels of a table; `stated` are the names of the classes, if they are known.

    Labels are names of classes or whole numbers in the column `label`, or 0 and 1 in a column per label.
    Raises InputError, with the line, for what does not fit.
    """
    path, table = images.path, images.table
    column = _label_column(table)
    if column is not None:
        return _one_label(images, column, stated)
    several = _other_columns(images)
    if not several:
        return Labelling(None, stated, ("The CSV file has no column 'label': its images have no labels.",))
    if len(several) == 1:
        name = printable(table.header[several[0]])
        raise InputError(f"{path}: has no column 'label', but '{name}'; rename it to 'label'")
    return _several_labels(path, table, several, stated)


def _label_column(table: Table) -> int | None:
    """Return the column of the labels; one of 0 and 1 with another name is one of several labels."""
    column = label_column(table)
    if column is None or column == table.column(LABEL):
        return column
    return None if all(_is_flag(row.cells[column]) for row in table.rows) else column


def _is_flag(cell: str) -> bool:
    return _PRESENT.fullmatch(cell) is not None or _ABSENT.fullmatch(cell) is not None


def _other_columns(images: ImageTable) -> list[int]:
    """Return the columns of which nothing is known."""
    table = images.table
    known = {images.column, _label_column(table), table.column(*SPLITS), table.column(*PATIENTS)}
    return [
        index
        for index, name in enumerate(table.header)
        if index not in known and not _INDEX.fullmatch(name.lower())
    ]


def _one_label(images: ImageTable, column: int, stated: tuple[str, ...]) -> Labelling:
    path, table = images.path, images.table
    cells = [row.cells[column] for row in table.rows]
    for row, cell in zip(table.rows, cells, strict=True):
        if not cell:
            raise InputError(f"{row.where}: the label is empty; give each image one, or leave out the column")
        check_name(cell, f"{row.where}: label")
        if SEVERAL_LABELS in cell:
            raise InputError(
                f"{row.where}: has several labels ('{printable(cell)}'); give one, or a column of 0 and 1 "
                "per label"
            )
    others = [table.header[index] for index in _other_columns(images)]
    notes = (f"Other columns were ignored ({listed(others)}).",) if others else ()
    if all(_WHOLE.fullmatch(cell) for cell in cells) and not set(cells) <= set(stated):
        return Labelling(_numbers(table.rows, cells, stated), stated, notes)
    classes = ordered_names(f"{path}: label", set(cells), stated)
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number[cell] for cell in cells], dtype=np.int64)
    return Labelling(labels, classes, (*order_notes(classes, bool(stated)), *notes))


def _numbers(rows: Sequence[Row], cells: Sequence[str], stated: tuple[str, ...]) -> Labels:
    numbers = [int(cell.split(".")[0]) for cell in cells]
    most = len(stated) if stated else np.iinfo(np.int64).max
    for row, number in zip(rows, numbers, strict=True):
        if number >= most:
            raise InputError(
                f"{row.where}: the label is {number}, and {most} classes are named ({listed(stated)}); "
                f"labels count from 0 to {most - 1}"
            )
    return np.array(numbers, dtype=np.int64)


def _several_labels(path: Path, table: Table, columns: Sequence[int], stated: tuple[str, ...]) -> Labelling:
    names = tuple(table.header[column] for column in columns)
    check_class_names(f"{path}: header", names)
    order = _order_of_columns(path, names, columns, stated)
    labels = [[_flag(row, table.header[column], row.cells[column]) for column in order] for row in table.rows]
    notes = (f"The CSV file has {len(names)} labels that do not exclude each other: {listed(names)}.",)
    return Labelling(np.array(labels, dtype=np.int64), stated or names, notes)


def _order_of_columns(
    path: Path, names: tuple[str, ...], columns: Sequence[int], stated: tuple[str, ...]
) -> list[int]:
    if not stated:
        return list(columns)
    ordered_names(f"{path}: header", names, stated)
    missing = [name for name in stated if name not in names]
    if missing:
        raise InputError(
            f"{path}: has no column '{printable(missing[0])}', which is a stated label; add it, with 0 or 1"
        )
    return [columns[names.index(name)] for name in stated]


def _flag(row: Row, name: str, cell: str) -> int:
    if _PRESENT.fullmatch(cell):
        return 1
    if _ABSENT.fullmatch(cell):
        return 0
    raise InputError(
        f"{row.where}: '{printable(name)}' is '{printable(cell)}'; a column of a label holds 0 or 1; for one "
        "class per image, use the columns path,label"
    )


def refuse_two_classes(rows: Sequence[Row], files: Sequence[Path], labels: Labels | None) -> None:
    """Raise InputError if an image is in two rows with different labels."""
    if labels is None:
        return
    first: dict[Path, int] = {}
    for index, file in enumerate(files):
        earlier = first.setdefault(file, index)
        if not np.array_equal(labels[earlier], labels[index]):
            raise InputError(
                f"{rows[index].where}: {printable(str(file))} has another label than in "
                f"{rows[earlier].where}; give each image once"
            )
