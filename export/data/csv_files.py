"""Lists the images of a CSV file: paths, labels, splits and patients. It opens no image."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from bench.bundle.evaluation_pack import Labels
from bench.errors import InputError
from export.data.class_names import listed, order_notes, ordered_names
from export.data.csv_rows import PATH, CsvRow, CsvTable, read_csv
from export.data.folder import ListedFiles
from export.data.listing import Listing
from models.sources.decoding import IMAGE_SUFFIXES, refuse_dicom
from models.sources.folder_layout import SPLIT_NAMES
from models.sources.names import check_class_names, check_name, printable
from models.sources.patients import patient_of

_LABELS = ("label",)
_SPLITS = ("split",)
_PATIENTS = ("patient", "patient_id", "group")
_INDEX = re.compile(r"|unnamed: \d+")  # how pandas writes and reads an index
_WHOLE = re.compile(r"\d+(\.0+)?")
_ABSENT = re.compile(r"0(\.0+)?|false", re.IGNORECASE)
_PRESENT = re.compile(r"1(\.0+)?|true", re.IGNORECASE)


@dataclass(frozen=True)
class _Labelling:
    """The labels of all rows."""

    labels: Labels | None
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_csv(path: Path, stated: tuple[str, ...]) -> ListedFiles:
    """Return the images that a CSV file names; `stated` are the names of the classes, if they are known.

    Labels are names of classes or whole numbers in the column `label`, or 0 and 1 in a column per label.
    Without such columns the images have no labels. Raises InputError, with the line, for what does not fit.
    """
    check_name(str(path), "--data")
    table = read_csv(path)
    if not table.rows:
        raise InputError(f"{path}: has a header and no row; add a row per image")
    files = _files_of(path, table)
    labelling = _labelling(path, table, stated)
    _refuse_two_classes(table.rows, files, labelling.labels)
    by_column = table.column(*_PATIENTS)
    listing = Listing(
        name=path.stem,
        where=str(path),
        splits=_splits_of(table),
        patients=_patients_of(table, by_column),
        labels=labelling.labels,
        classes=labelling.classes,
        patients_from="file names" if by_column is None else f"the column '{table.header[by_column]}'",
        notes=labelling.notes,
    )
    return ListedFiles(listing, files)


def _files_of(path: Path, table: CsvTable) -> tuple[Path, ...]:
    column = table.column(PATH)
    assert column is not None
    files = tuple(_file(path.parent, row, row.cells[column]) for row in table.rows)
    missing = [(row, file) for row, file in zip(table.rows, files, strict=True) if not file.is_file()]
    if missing:
        row, file = missing[0]
        raise InputError(
            f"{row.where}: there is no file {printable(str(file))} ({len(missing)} of {len(files)} are "
            f"missing); give paths relative to {path.parent}"
        )
    for file in files:
        if file.suffix.lower() not in IMAGE_SUFFIXES:
            refuse_dicom(file)
    return files


def _file(folder: Path, row: CsvRow, cell: str) -> Path:
    if not cell:
        raise InputError(f"{row.where}: the path is empty; name an image")
    check_name(cell, f"{row.where}: path")
    file = folder / cell
    # Windows separates folders by a backslash.
    return folder / cell.replace("\\", "/") if "\\" in cell and not file.exists() else file


def _splits_of(table: CsvTable) -> tuple[str, ...]:
    column = table.column(*_SPLITS)
    if column is None:
        return ("",) * len(table.rows)
    return tuple(_split_of(row, row.cells[column]) for row in table.rows)


def _split_of(row: CsvRow, cell: str) -> str:
    split = SPLIT_NAMES.get(cell.lower())
    if split is None:
        raise InputError(f"{row.where}: the split is '{printable(cell)}'; give train, val or test")
    return split


def _patients_of(table: CsvTable, column: int | None) -> tuple[str | None, ...]:
    if column is None:
        paths = table.column(PATH)
        assert paths is not None
        return tuple(patient_of(PurePath(row.cells[paths].replace("\\", "/"))) for row in table.rows)
    for row in table.rows:
        if not row.cells[column]:
            raise InputError(
                f"{row.where}: '{table.header[column]}' is empty; name the patient of each image"
            )
    return tuple(row.cells[column] for row in table.rows)


def _labelling(path: Path, table: CsvTable, stated: tuple[str, ...]) -> _Labelling:
    column = table.column(*_LABELS)
    if column is not None:
        return _one_label(path, table, column, stated)
    several = _label_columns(table)
    if not several:
        return _Labelling(None, stated, ("The CSV file has no column 'label': its images have no labels.",))
    if len(several) == 1:
        name = printable(table.header[several[0]])
        raise InputError(f"{path}: has no column 'label', but '{name}'; rename it to 'label'")
    return _several_labels(path, table, several, stated)


def _label_columns(table: CsvTable) -> list[int]:
    known = {PATH, *_LABELS, *_SPLITS, *_PATIENTS}
    return [
        index
        for index, name in enumerate(table.header)
        if name.lower() not in known and not _INDEX.fullmatch(name.lower())
    ]


def _one_label(path: Path, table: CsvTable, column: int, stated: tuple[str, ...]) -> _Labelling:
    cells = [row.cells[column] for row in table.rows]
    for row, cell in zip(table.rows, cells, strict=True):
        if not cell:
            raise InputError(f"{row.where}: the label is empty; give each image one, or leave out the column")
        check_name(cell, f"{row.where}: label")
    others = [table.header[index] for index in _label_columns(table)]
    notes = (f"Other columns were ignored ({listed(others)}).",) if others else ()
    if all(_WHOLE.fullmatch(cell) for cell in cells) and not set(cells) <= set(stated):
        return _Labelling(_numbers(table.rows, cells, stated), stated, notes)
    classes = ordered_names(f"{path}: label", set(cells), stated)
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number[cell] for cell in cells], dtype=np.int64)
    return _Labelling(labels, classes, (*order_notes(classes, bool(stated)), *notes))


def _numbers(rows: Sequence[CsvRow], cells: Sequence[str], stated: tuple[str, ...]) -> Labels:
    numbers = [int(cell.split(".")[0]) for cell in cells]
    most = len(stated) if stated else np.iinfo(np.int64).max
    for row, number in zip(rows, numbers, strict=True):
        if number >= most:
            raise InputError(
                f"{row.where}: the label is {number}, and {most} classes are named ({listed(stated)}); "
                f"labels count from 0 to {most - 1}"
            )
    return np.array(numbers, dtype=np.int64)


def _several_labels(
    path: Path, table: CsvTable, columns: Sequence[int], stated: tuple[str, ...]
) -> _Labelling:
    names = tuple(table.header[column] for column in columns)
    check_class_names(f"{path}: header", names)
    order = _order_of_columns(path, names, columns, stated)
    labels = [[_flag(row, table.header[column], row.cells[column]) for column in order] for row in table.rows]
    notes = (f"The CSV file has {len(names)} labels that do not exclude each other: {listed(names)}.",)
    return _Labelling(np.array(labels, dtype=np.int64), stated or names, notes)


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


def _flag(row: CsvRow, name: str, cell: str) -> int:
    if _PRESENT.fullmatch(cell):
        return 1
    if _ABSENT.fullmatch(cell):
        return 0
    raise InputError(
        f"{row.where}: '{printable(name)}' is '{printable(cell)}'; a column of a label holds 0 or 1; for one "
        "class per image, use the columns path,label"
    )


def _refuse_two_classes(rows: Sequence[CsvRow], files: Sequence[Path], labels: Labels | None) -> None:
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
