"""Reads the text of a CSV file as spreadsheets and pandas write it: header, rows, delimiter, encoding.

It knows no meaning of a column.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from user_files.contents import LARGEST_RESULT, ContentError, content_of
from user_files.faults import why_replaced
from user_files.text import TextError, text_of

_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = "sep="
PATH = "path"
NEEDED = "a header 'path,label', and a row per image: the path of its file, and its class"
_MOST_SHOWN = 80


class TableError(ValueError):
    """A file that is no table. The message names the file and the line."""


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    where: str
    """The file and line, for messages."""
    cells: tuple[str, ...]
    """What the columns hold, without blanks around it."""


@dataclass(frozen=True)
class Table:
    """A table with a header."""

    header: tuple[str, ...]
    """The names of the columns; "" for one without a name, such as the index of pandas."""
    rows: tuple[Row, ...]
    """The rows that are not empty."""

    def column(self, *names: str) -> int | None:
        """Return the number of the column with one of these small names; None if there is none."""
        return next((index for index, name in enumerate(self.header) if name.lower() in names), None)


def read_table(path: Path) -> Table:
    """Read a CSV file with a header. Raises TableError if it is none, or if a row has other columns."""
    text = _text_of(path)
    first, _, rest = text.partition("\n")
    if first.lower().startswith(_SEPARATOR_LINE):
        text = rest
    rows = _rows(path, text, _delimiter(path, text))
    header = next(rows, None)
    if header is None:
        raise TableError(f"{path}: is no CSV file of images (it is empty); give {NEEDED}")
    _refuse_twins(path, header.cells)
    table = Table(header.cells, tuple(row for row in rows if any(row.cells)))
    for row in table.rows:
        if len(row.cells) != len(header.cells):
            raise TableError(
                f"{row.where}: has {len(row.cells)} cells, and the header {len(header.cells)} "
                f"({short(header.cells)}); quote a cell that holds the delimiter"
            )
    return table


def _text_of(path: Path) -> str:
    if (why := why_replaced(path)) is not None:
        raise TableError(why)
    try:
        text = text_of(content_of(path, LARGEST_RESULT))
    except ContentError as error:
        raise TableError(f"{path}: {error}; give a CSV file with {NEEDED}") from None
    except TextError as error:
        raise TableError(f"{path}: {error}; of a CSV file, save it as 'CSV UTF-8' with {NEEDED}") from None
    if "\0" in text:
        raise TableError(f"{path}: is no text, but holds zero bytes; give a CSV file with {NEEDED}")
    return text


def _delimiter(path: Path, text: str) -> str:
    """Return the delimiter with which the first line has a column of paths; else the most columns."""
    headers = {delimiter: next(_rows(path, text, delimiter), None) for delimiter in _DELIMITERS}
    cells = {delimiter: () if header is None else header.cells for delimiter, header in headers.items()}
    with_paths = (delimiter for delimiter in _DELIMITERS if PATH in map(str.lower, cells[delimiter]))
    return next(with_paths, max(_DELIMITERS, key=lambda delimiter: len(cells[delimiter])))


def _rows(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in reader:
            yield Row(f"{path}, line {reader.line_num}", tuple(cell.strip() for cell in cells))
    except csv.Error as error:
        raise TableError(
            f"{path}, line {reader.line_num}: cannot be read as CSV ({error}); save it again as CSV"
        ) from None


def short(cells: tuple[str, ...]) -> str:
    """Return the cells of a line for a message."""
    text = ascii(",".join(cells))[1:-1] if not ",".join(cells).isprintable() else ",".join(cells)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _refuse_twins(path: Path, header: tuple[str, ...]) -> None:
    names = [name.lower() for name in header if name]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise TableError(f"{path}: two columns are named '{short((twins[0],))}'; give each a name of its own")
