"""What every record that is read from a file has in common: numbers within bounds, and a bounded check."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from user_files.json_text import json_of

LARGEST_NUMBER = (1 << 63) - 1
"""The largest whole number of a record, and its negative the smallest: what 64 bits and a float hold."""
Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
"""A number of things, a size, a duration, or an index."""
PositiveCount = Annotated[int, Field(gt=0, le=LARGEST_NUMBER)]
"""A number by which something is divided."""

_SEQUENCES = ("tuple", "list", "set", "frozenset")


def _set_bounds(part: Any, record: object) -> None:
    """Give each whole number in a record's schema bounds, and end each sequence at its first wrong item.

    Parts of other records are left out: those have done the same.
    """
    if isinstance(part, list | tuple):
        for item in part:
            _set_bounds(item, record)
    elif isinstance(part, dict) and part.get("cls", record) is record:
        if part.get("type") in _SEQUENCES:
            part["fail_fast"] = True
        elif part.get("type") == "int":
            part.update({} if "gt" in part or "ge" in part else {"ge": -LARGEST_NUMBER})
            part.update({} if "lt" in part or "le" in part else {"le": LARGEST_NUMBER})
        for item in part.values():
            _set_bounds(item, record)


class CheckedRecord(BaseModel):
    """A record that refuses numbers of hundreds of digits, and a sequence at its first wrong item.

    Without the first, arithmetic fails long after the file was read. Without the second, a file with millions
    of wrong values takes minutes and gigabytes, although one of them is shown.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the record's schema with these bounds."""
        schema = handler(source)
        _set_bounds(schema, cls)
        return schema
