"""A comparison of networks as CSV: one line for each row, with the fields of the JSON document. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import get_args, get_origin

from pydantic import BaseModel

from bench.compare.document import NetworkComparison, NetworkRow
from bench.render.csv_table import Cell, harmless

_ENDS = ("low", "high")
_CONDITIONS = ("created", "tool", "profile", "cpu", "quick", "baseline")
_BEGINNING = ",".join(_CONDITIONS)


def comparison_to_csv(comparison: NetworkComparison) -> str:
    """Return a header and a line for each row: times in nanoseconds, sizes in bytes, empty without a value.

    The columns are the same in every file. What a row is against the baseline's begins with `against_`, and
    an interval is two columns. The conditions of the run stand before each row.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_CONDITIONS, *ROW_COLUMNS])
    conditions = [harmless(getattr(comparison, name)) for name in _CONDITIONS]
    for row in comparison.rows:
        cells = flat_row(row)
        writer.writerow([*conditions, *(harmless(cells.get(name)) for name in ROW_COLUMNS)])
    return out.getvalue()


def was_comparison_csv(content: bytes) -> bool:
    """Tell whether this module wrote a file's content."""
    return content.startswith(_BEGINNING.encode())


def _columns(record: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield the names of the columns that a record has, as `_flat` names its values."""
    for name, field in record.model_fields.items():
        kinds = get_args(field.annotation | None)  # type: ignore[operator] # of None alone there is no field
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is not None:
            yield from _columns(inner, f"{before}{name}_")
        elif any(get_origin(kind) is tuple for kind in kinds):
            yield from (f"{before}{name}_{end}" for end in _ENDS)
        else:
            yield f"{before}{name}"


ROW_COLUMNS = tuple(_columns(NetworkRow))
"""The columns of a row."""


def flat_row(row: NetworkRow) -> dict[str, Cell]:
    """Return a row's values by the names of the columns that it has."""
    return _flat(row.model_dump(mode="json"))


def _flat(values: Mapping[str, object], before: str = "") -> dict[str, Cell]:
    """Return a document without any inside it: their keys are joined, and both ends of an interval named."""
    flat: dict[str, Cell] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}_")
        elif isinstance(value, list):
            flat |= {f"{before}{key}_{end}": part for end, part in zip(_ENDS, value, strict=True)}
        else:
            assert value is None or isinstance(value, str | int | float)
            flat[f"{before}{key}"] = value
    return flat
