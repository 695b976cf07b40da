"""Finds tables that say something of images, and their columns: the images, labels, splits and patients.

The column of the images is found by what it holds: paths, names of files, or these without a suffix. It opens
no image.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from user_files.finding import FoundFile, found_file, list_files
from user_files.tables import PATH, Table, TableError, read_table

TABLE_SUFFIXES = (".csv", ".tsv")
_ROWS_TRIED = 20
LABEL = "label"
_LABELS = frozenset(
    (
        *(
            "label",
            "labels",
            "class",
            "classes",
            "category",
            "target",
            "diagnosis",
            "dx",
            "finding",
            "findings",
        ),
        *("finding labels", "class_name", "classname", "label_name", "disease", "pathology"),
    )
)
SEVERAL_LABELS = "|"
"""What separates several labels of an image in one cell, as in ChestX-ray14."""
SPLITS = ("split", "dataset_type", "subset")
PATIENTS = ("patient", "patient_id", "patient id", "patientid", "group", "subject", "subject_id")


@dataclass(frozen=True)
class ImageTable:
    """A table of which a column names images."""

    path: Path
    """The table's file."""
    table: Table
    """What it holds."""
    column: int
    """The number of the column that names images."""
    files: tuple[FoundFile | None, ...]
    """The file of each row, which may be no image; None where there is none."""

    @property
    def named(self) -> int:
        """How many rows have a file."""
        return sum(file is not None for file in self.files)

    @property
    def label_column(self) -> int | None:
        """The number of the column with the labels: by its name, or the only one left; None if unclear."""
        named = label_column(self.table)
        known = {self.column, self.table.column(*SPLITS), self.table.column(*PATIENTS)}
        rest = [index for index, name in enumerate(self.table.header) if index not in known and name]
        return rest[0] if named is None and len(rest) == 1 else named


def label_column(table: Table) -> int | None:
    """Return the number of the only column that is named as one of labels; `label` goes before others."""
    named = [index for index, name in enumerate(table.header) if name.strip().lower() in _LABELS]
    stated = table.column(LABEL)
    return stated if stated is not None else named[0] if len(named) == 1 else None


def tables_of_images(folder: Path, images: Sequence[FoundFile]) -> list[ImageTable]:
    """Return the tables in a folder of which most rows, or most images, belong together: the best first."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in TABLE_SUFFIXES)
    found = []
    for path in paths:
        try:
            table = _by_names(path, read_table(path), images) if path.is_file() else None
        except TableError:
            continue  # It is another kind of table, and nobody asked for it.
        if table is not None and 2 * table.named >= min(len(table.files), len(images)):
            found.append(table)
    most = max((table.named for table in found), default=0)
    best = [table for table in found if 2 * table.named >= most]
    return sorted(best, key=lambda table: table.named, reverse=True)


def image_table(path: Path, table: Table) -> ImageTable | None:
    """Return a table with its images; None if no column names any.

    Paths are relative to the table. If they lead nowhere, files in and below its folder are found by name.
    """
    by_path = [column for column in _columns(table) if _leads_to_files(path, table, column)]
    if by_path:
        cells = (row.cells[by_path[0]] for row in table.rows)
        return ImageTable(path, table, by_path[0], tuple(_at_path(path.parent, cell) for cell in cells))
    files = [file for file in list_files(path.parent).files if file.path != path]
    return _by_names(path, table, files)


def _columns(table: Table) -> Sequence[int]:
    """Return the columns that may name images: `path`, else any."""
    stated = table.column(PATH)
    return range(len(table.header)) if stated is None else [stated]


def _leads_to_files(path: Path, table: Table, column: int) -> bool:
    cells = (row.cells[column] for row in table.rows[:_ROWS_TRIED])
    return any(resolved(path.parent, cell).is_file() for cell in cells if cell and "\0" not in cell)


def resolved(folder: Path, cell: str) -> Path:
    """Return the path that a cell names, relative to a folder. Windows separates folders by a backslash."""
    file = folder / cell
    return folder / cell.replace("\\", "/") if "\\" in cell and not file.exists() else file


def _at_path(folder: Path, cell: str) -> FoundFile | None:
    file = resolved(folder, cell)
    return found_file(file, PurePath(cell.replace("\\", "/"))) if cell and file.is_file() else None


def _by_names(path: Path, table: Table, images: Sequence[FoundFile]) -> ImageTable | None:
    by_name = _by_name(images)
    matches = {
        column: tuple(_image_of(row.cells[column], by_name) for row in table.rows)
        for column in _columns(table)
    }
    counts = {column: sum(file is not None for file in files) for column, files in matches.items()}
    best = max(counts, key=lambda column: counts[column], default=None)
    return None if best is None or not counts[best] else ImageTable(path, table, best, matches[best])


def _by_name(images: Iterable[FoundFile]) -> Mapping[str, FoundFile]:
    """Return images by path, by name, and by these without a suffix, as far as they are unique."""
    names: dict[str, FoundFile | None] = {}
    for image in images:
        parts = image.inner.parts
        keys = {"/".join(parts[start:]) for start in range(len(parts))}
        for key in keys | {str(PurePath(key).with_suffix("")) for key in keys}:
            names[key] = None if key in names else image
    return {key: image for key, image in names.items() if image is not None}


def _image_of(cell: str, by_name: Mapping[str, FoundFile]) -> FoundFile | None:
    """Return the image that a cell names; it may begin with folders of another machine."""
    parts = PurePath(cell.replace("\\", "/")).parts
    keys = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((by_name[key] for key in keys if key in by_name), None)
