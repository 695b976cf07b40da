"""What every record that is read from a file has in common: numbers within bounds, and a bounded check."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

LARGEST_NUMBER = (1 << 63) - 1
"""The largest whole number of a document. A larger one does not fit into a float or into 64 bits."""
Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
"""A number of things, a size, a duration, or an index."""
PositiveCount = Annotated[int, Field(gt=0, le=LARGEST_NUMBER)]
"""A number by which something is divided."""
Whole = Annotated[int, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
"""A whole number that may be negative, such as a change."""

_SEQUENCES = ("tuple", "list", "set", "frozenset")


def _stop_early(part: Any, record: object) -> None:
    """Let every sequence in a record's schema end at its first wrong item; other records do so themselves."""
    if isinstance(part, list | tuple):
        for item in part:
            _stop_early(item, record)
    elif isinstance(part, dict) and part.get("cls", record) is record:
        if part.get("type") in _SEQUENCES:
            part["fail_fast"] = True
        for item in part.values():
            _stop_early(item, record)


class CheckedRecord(BaseModel):
    """A record that refuses a sequence at its first wrong item.

    Otherwise a file with millions of wrong values takes minutes and gigabytes, of which one is shown.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the record's schema, in which a sequence ends at its first wrong item."""
        schema = handler(source)
        _stop_early(schema, cls)
        return schema
