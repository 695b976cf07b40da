"""What every record that is read from a file has in common: numbers within bounds, and a bounded check."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails

from user_files.json_text import json_of

LARGEST_NUMBER = (1 << 63) - 1
"""The largest whole number of a record, and its negative the smallest: what 64 bits and a float hold."""
Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
"""A number of things, a size, a duration, or an index."""
PositiveCount = Annotated[int, Field(gt=0, le=LARGEST_NUMBER)]
"""A number by which something is divided."""

_Record = TypeVar("_Record", bound="CheckedRecord")
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


def _in_terms_of_json(error: ValidationError) -> ValidationError:
    """Return an error that speaks of objects and arrays, not of Python's types."""
    faults = [
        InitErrorDetails(type=each["type"], loc=each["loc"], input=each["input"], ctx=each.get("ctx", {}))
        for each in error.errors(include_url=False)
    ]
    return ValidationError.from_exception_data(error.title, faults, input_type="json")


class CheckedRecord(BaseModel):
    """A record that refuses numbers of hundreds of digits, and a sequence at its first wrong item.

    Without the first, arithmetic fails long after the file was read. Without the second, a file with millions
    of wrong values takes minutes and gigabytes, although one of them is shown.
    """

    @classmethod
    def of_json(cls: type[_Record], content: bytes, document: Any = None) -> _Record:
        """Return the record of a JSON document; raises ContentError or ValidationError.

        `document`: what `json_of` gave of `content`, if the caller has asked it already. A record by itself
        would not see that a key occurs twice. Of values of Python an error has no copy of what it is in, as
        each error of a JSON text has; but only in a text may a list stand for a tuple in a strict record.
        """
        try:
            cls.model_validate(json_of(content) if document is None else document, strict=False)
        except ValidationError as error:
            raise _in_terms_of_json(error) from None
        return cls.model_validate_json(content)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the record's schema with these bounds."""
        schema = handler(source)
        _set_bounds(schema, cls)
        return schema
