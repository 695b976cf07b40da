"""Gives each image that a CSV file names its class, split and patient, for training. It decodes no image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from models.sources.folder_content import refuse_dicom
from models.sources.folder_layout import Layout, image_file, order_classes
from models.sources.folder_tree import PlacedFile, split_of
from models.sources.labelled_files import labelled_files
from models.sources.names import check_name, check_path
from models.sources.patients import patient_of
from user_files.finding import FoundFile
from user_files.image_tables import PATIENTS, SEVERAL_LABELS, SPLITS, ImageTable, image_table
from user_files.printable import printable
from user_files.tables import Row, TableError, read_table, short
from user_files.wording import counted

_REMEDY = "edgefit finetune needs one class per image, in a column 'label'"


@dataclass(frozen=True)
class _LabelledRow:
    """A row with an image and a label."""

    row: Row
    image: FoundFile
    label: str


def read_table_layout(path: Path) -> Layout:
    """List the images that a CSV file names. Raises an InputError that says what is wrong, and where."""
    check_path(path, "--data")
    table = _table(path)
    rows, warnings = _labelled_rows(table)
    refuse_dicom([row.image for row in rows])
    patients = {row.image.path: _cell(table, row.row, PATIENTS) for row in rows}
    placed = [PlacedFile(row.image, _split(table, row.row), row.label, row.image.inner) for row in rows]
    labelled = labelled_files(str(path), placed)
    classes = _classes(path, {file.folder for file in labelled.files})
    number = {name: label for label, name in enumerate(classes)}
    column = table.table.column(*PATIENTS)
    return Layout(
        files=tuple(
            image_file(file, number[file.folder], patients[file.found.path] or patient_of(file.inner), key)
            for file, key in zip(labelled.files, labelled.keys, strict=True)
        ),
        classes=classes,
        splits=frozenset(file.split for file in placed),
        warnings=(*warnings, *labelled.warnings),
        noun="table",
        name=path.stem,
        patients_from=None if column is None else table.table.header[column],
    )


def _table(path: Path) -> ImageTable:
    try:
        table = read_table(path)
    except TableError as error:
        raise InputError(str(error)) from None
    found = image_table(path, table)
    if found is None:
        raise InputError(
            f"{path}: no column names files that lie in {path.parent} or below ({short(table.header)}); put "
            "the CSV file beside the images, and give it a column 'path'"
        )
    return found


def _labelled_rows(table: ImageTable) -> tuple[list[_LabelledRow], list[str]]:
    """Return the rows with an image and a label, and warnings on the others."""
    column = table.label_column
    if column is None:
        raise InputError(
            f"{table.path}: it is unclear which column has the classes ({short(table.table.header)}); "
            f"{_REMEDY}"
        )
    pairs = list(zip(table.table.rows, table.files, strict=True))
    rows = [
        _LabelledRow(row, file, row.cells[column])
        for row, file in pairs
        if file is not None and row.cells[column]
    ]
    _refuse_several_labels(table, rows)
    missing = [row for row, file in pairs if file is None]
    blank = [row for row, file in pairs if file is not None and not row.cells[column]]
    return _different(rows), [
        *_left_out(table, missing, "names an image that is not there", "name images that are not there"),
        *_left_out(table, blank, "has no label", "have no label"),
    ]


def _refuse_several_labels(table: ImageTable, rows: Sequence[_LabelledRow]) -> None:
    several = [row for row in rows if SEVERAL_LABELS in row.label]
    if several:
        raise InputError(
            f"{several[0].row.where}: has several labels ('{printable(several[0].label)}'), as "
            f"{counted(len(several), 'row')} of {len(rows)} in {table.path}; {_REMEDY}"
        )


def _different(rows: Sequence[_LabelledRow]) -> list[_LabelledRow]:
    """Return each image once. Raises InputError for one with two labels."""
    first: dict[Path, _LabelledRow] = {}
    for row in rows:
        check_name(row.label, f"{row.row.where}: label")
        earlier = first.setdefault(row.image.path, row)
        if earlier.label != row.label:
            raise InputError(
                f"{row.row.where}: {printable(str(row.image.path))} has another label than in "
                f"{earlier.row.where}; give each image once"
            )
    return list(first.values())


def _left_out(table: ImageTable, rows: Sequence[Row], verb: str, plural: str) -> list[str]:
    if not rows:
        return []
    phrase = f"rows {verb} and was" if len(rows) == 1 else f"rows {plural} and were"
    example = printable(rows[0].cells[table.column])
    return [f"{len(rows)} of {len(table.table.rows)} {phrase} left out (such as '{example}')."]


def _cell(table: ImageTable, row: Row, names: Sequence[str]) -> str:
    column = table.table.column(*names)
    return "" if column is None else row.cells[column]


def _split(table: ImageTable, row: Row) -> str:
    cell = _cell(table, row, SPLITS)
    split = split_of(cell) if cell else ""
    if split is None:
        raise InputError(f"{row.where}: the split is '{printable(cell)}'; give train, val or test")
    return split


def _classes(path: Path, names: set[str]) -> tuple[str, ...]:
    if len(names) < 2:
        raise InputError(f"{path}: has {counted(len(names), 'class', 'classes')}; at least two are needed")
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=int))
    return order_classes(names)
