"""Lists the images of a CSV file: paths, splits and patients. It decodes no image."""

from pathlib import Path

from bench.errors import InputError
from export.data.csv_labels import labelling, refuse_two_classes
from export.data.folder import ListedFiles
from export.data.listing import Listing
from models.sources.folder_content import refuse_dicom
from models.sources.folder_tree import split_of
from models.sources.names import check_name, check_path
from models.sources.patients import patient_of
from user_files.image_tables import PATIENTS, SPLITS, ImageTable, image_table, resolved
from user_files.printable import printable
from user_files.tables import NEEDED, PATH, Row, Table, TableError, read_table, short


def list_csv(path: Path, stated: tuple[str, ...]) -> ListedFiles:
    """Return the images that a CSV file names; `stated` are the names of the classes, if they are known.

    Labels are names of classes or whole numbers in the column `label`, or 0 and 1 in a column per label.
    Without such columns the images have no labels. Raises InputError, with the line, for what does not fit.
    """
    check_path(path, "--data")
    table = _table(path)
    if not table.rows:
        raise InputError(f"{path}: has a header and no row; add a row per image")
    images = _images_of(path, table)
    files = tuple(file.path for file in images.files if file is not None)
    labelled = labelling(images, stated)
    refuse_two_classes(table.rows, files, labelled.labels)
    by_column = table.column(*PATIENTS)
    listing = Listing(
        name=path.stem,
        where=str(path),
        splits=_splits_of(table),
        patients=_patients_of(images, by_column),
        labels=labelled.labels,
        classes=labelled.classes,
        patients_from="file names" if by_column is None else f"the column '{table.header[by_column]}'",
        notes=labelled.notes,
    )
    return ListedFiles(listing, files)


def _table(path: Path) -> Table:
    try:
        return read_table(path)
    except TableError as error:
        raise InputError(str(error)) from None


def _images_of(path: Path, table: Table) -> ImageTable:
    """Return the table with its files. Raises InputError for a row without one, or whose file is no image."""
    found = image_table(path, table)
    column = table.column(PATH) if found is None else found.column
    if column is None:
        raise InputError(
            f"{path}: is no CSV file of images (its first line is '{short(table.header)}', and no column "
            f"names files beside it); give {NEEDED}"
        )
    files = (None,) * len(table.rows) if found is None else found.files
    for row in table.rows:
        _check_cell(row, row.cells[column])
    missing = [row for row, file in zip(table.rows, files, strict=True) if file is None]
    if missing:
        file = printable(str(resolved(path.parent, missing[0].cells[column])))
        raise InputError(
            f"{missing[0].where}: there is no file {file} ({len(missing)} of {len(files)} are missing); "
            f"give paths relative to {path.parent}"
        )
    assert found is not None
    _refuse_no_images(found)
    return found


def _check_cell(row: Row, cell: str) -> None:
    if not cell:
        raise InputError(f"{row.where}: the path is empty; name an image")
    check_name(cell, f"{row.where}: path")


def _refuse_no_images(table: ImageTable) -> None:
    files = [file for file in table.files if file is not None]
    refuse_dicom(files)
    for row, file in zip(table.table.rows, files, strict=True):
        if file.problem:
            raise InputError(
                f"{row.where}: {printable(str(file.path))} is no image: {file.problem}; replace it, or leave "
                "the row out"
            )


def _splits_of(table: Table) -> tuple[str, ...]:
    column = table.column(*SPLITS)
    if column is None:
        return ("",) * len(table.rows)
    return tuple(_split_of(row, row.cells[column]) for row in table.rows)


def _split_of(row: Row, cell: str) -> str:
    split = split_of(cell)
    if split is None:
        raise InputError(f"{row.where}: the split is '{printable(cell)}'; give train, val or test")
    return split


def _patients_of(images: ImageTable, column: int | None) -> tuple[str | None, ...]:
    table = images.table
    if column is None:
        return tuple(None if file is None else patient_of(file.inner) for file in images.files)
    for row in table.rows:
        if not row.cells[column]:
            raise InputError(
                f"{row.where}: '{table.header[column]}' is empty; name the patient of each image"
            )
    return tuple(row.cells[column] for row in table.rows)
