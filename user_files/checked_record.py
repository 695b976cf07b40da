"""What every record that is read from a file has in common: numbers within bounds, and a bounded check."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from user_files.json_text import json_of

if TYPE_CHECKING:
    from typing_extensions import Self

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

    @classmethod
    def from_parsed(cls, content: bytes | str, document: Any) -> "Self":
        """Return the record in the JSON text `content`, of which `document` is what it was parsed to.

        Python's values are checked first, because a fault refers to one of them. A fault in text holds a copy
        of what it is in: of a missing key that is the whole object, perhaps the whole document.
        Raises ValidationError.
        """
        cls.__pydantic_validator__.validate_python(document, strict=False)
        return cls.model_validate_json(content)

    @classmethod
    def of_json(cls, content: bytes) -> "Self":
        """Return the record in a JSON document, in which no key occurs twice; raises ContentError or
        ValidationError."""
        return cls.from_parsed(content, json_of(content))
