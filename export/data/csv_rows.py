"""Reads the text of a CSV file as spreadsheets and pandas write it: header, rows, delimiter, encoding.

It knows no meaning of a column.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from models.sources.names import printable
from user_files.faults import why_replaced

_DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = "sep="
PATH = "path"
NEEDED = "a header 'path,label', and a row per image: the path of its file, and its class"


@dataclass(frozen=True)
class CsvRow:
    """A row of a table."""

    where: str
    """The file and line, for messages."""
    cells: tuple[str, ...]
    """What the columns hold, without blanks around it."""


@dataclass(frozen=True)
class CsvTable:
    """A table with a header."""

    header: tuple[str, ...]
    """The names of the columns; "" for one without a name, such as the index of pandas."""
    rows: tuple[CsvRow, ...]
    """The rows that are not empty."""

    def column(self, *names: str) -> int | None:
        """Return the number of the column with one of these small names; None if there is none."""
        return next((index for index, name in enumerate(self.header) if name.lower() in names), None)


def read_csv(path: Path) -> CsvTable:
    """Read a CSV file with a column 'path'. Raises InputError if it is none, or a row has other columns."""
    text = _text_of(path)
    first, _, rest = text.partition("\n")
    if first.lower().startswith(_SEPARATOR_LINE):
        text = rest
    rows = _rows(path, text, _delimiter(path, text))
    header = next(rows, None)
    if header is None or not _names_paths(header.cells):
        found = "it is empty" if header is None else f"its first line is '{_short(header.cells)}'"
        raise InputError(f"{path}: is no CSV file of images ({found}); give {NEEDED}")
    _refuse_twins(path, header.cells)
    table = CsvTable(header.cells, tuple(row for row in rows if any(row.cells)))
    for row in table.rows:
        if len(row.cells) != len(header.cells):
            raise InputError(
                f"{row.where}: has {len(row.cells)} cells, and the header {len(header.cells)} "
                f"({_short(header.cells)}); quote a cell that holds the delimiter"
            )
    return table


def _text_of(path: Path) -> str:
    if (why := why_replaced(path)) is not None:
        raise InputError(why)
    content = path.read_bytes()
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is no text in UTF-8 ({error.reason} at byte {error.start}); of a CSV file, save it as "
            f"'CSV UTF-8' with {NEEDED}"
        ) from None
    if "\0" in text:
        raise InputError(f"{path}: is no text, but holds zero bytes; give a CSV file with {NEEDED}")
    return text


def _delimiter(path: Path, text: str) -> str:
    """Return the delimiter with which the first line has a column of paths; else the comma."""
    for delimiter in _DELIMITERS:
        header = next(_rows(path, text, delimiter), None)
        if header is not None and _names_paths(header.cells):
            return delimiter
    return _DELIMITERS[0]


def _names_paths(cells: tuple[str, ...]) -> bool:
    return PATH in (cell.lower() for cell in cells)


def _rows(path: Path, text: str, delimiter: str) -> Iterator[CsvRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in reader:
            yield CsvRow(f"{path}, line {reader.line_num}", tuple(cell.strip() for cell in cells))
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: cannot be read as CSV ({error}); save it again as CSV"
        ) from None


def _short(cells: tuple[str, ...]) -> str:
    text = printable(",".join(cells))
    return text if len(text) <= 80 else f"{text[:80]}…"


def _refuse_twins(path: Path, header: tuple[str, ...]) -> None:
    names = [name.lower() for name in header if name]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise InputError(
            f"{path}: two columns are named '{printable(twins[0])}'; give each a name of its own"
        )
