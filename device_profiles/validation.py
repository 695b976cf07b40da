"""Turns a validation error of pydantic into one line with file, key and remedy.

It knows models and errors, but not what a file means; bench/ uses it for its own files too.
"""

import difflib
import math
import sys
from pathlib import Path
from reprlib import Repr
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from device_profiles.descriptions import descriptions
from device_profiles.part import Part
from user_files.faults import why_replaced
from user_files.versions import UPDATE, document_of, newer_schema, newer_tool

_SHOWN = 60
_SIMILAR = "did you mean"
# More than one value has: a union tells of each alternative why it is none.
_MOST_FAULTS = 1000
_AN_OBJECT, _AN_ARRAY = "Input should be an object", "Input should be a valid array"
_OF_DOCUMENTS = {
    "model_type": _AN_OBJECT,
    "model_attributes_type": _AN_OBJECT,
    "dict_type": _AN_OBJECT,
    "tuple_type": _AN_ARRAY,
    "list_type": _AN_ARRAY,
    "int_parsing": "Input should be a valid integer",
    "float_parsing": "Input should be a valid number",
    "bool_parsing": "Input should be a valid boolean",
}
# Writes only the beginning of a long value.
_REPR = Repr()
_REPR.maxlist, _REPR.maxtuple, _REPR.maxdict, _REPR.maxlevel = _SHOWN, _SHOWN, _SHOWN, 3
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 4 * _SHOWN


def explain(
    path: Path, error: ValidationError, model: type[BaseModel], content: bytes = b"", noun: str | None = None
) -> str:
    """Return `FILE: key: what is wrong` for the first fault; for an unknown key, with the nearest one.

    `content`: a JSON document that states its schema and version: a newer edgefit may have written it.
    `noun`: what a file is called that states neither, and may have a key that only a newer edgefit knows.
    """
    document = document_of(content)
    if (newer := newer_schema(document, _newest_schema(model))) is not None:
        return f"{path} {newer}"
    errors = error.errors(include_url=False)[:_MOST_FAULTS]
    fault, remark = _first_fault(path, errors, model), newer_tool(document)
    if noun is not None and errors[0]["type"] == "extra_forbidden":
        fault = with_newer(fault, noun)
    return fault if remark is None else f"{fault}; {remark}"


def with_newer(fault: str, noun: str) -> str:
    """Return what is said of an unknown key: a newer edgefit may know it, if it is like no known one."""
    if _SIMILAR in fault:
        return fault
    return f"{fault}; if the {noun} is for a newer edgefit, {UPDATE}"


def _newest_schema(model: type[BaseModel]) -> int:
    field = _field(model, "schema")
    known: tuple[int, ...] = () if field is None else get_args(field.annotation)
    return max(known, default=sys.maxsize)


def _first_fault(path: Path, errors: list[ErrorDetails], model: type[BaseModel]) -> str:
    first = errors[0]
    location = _without_union_tags(first, model)
    key = ".".join(str(part) for part in location)
    if first["type"] == "json_invalid":
        return why_replaced(path) or f"{path} is not valid JSON ({first['ctx']['error']})"
    if first["type"] == "extra_forbidden":
        return f"{path}: unknown key '{key}'; {nearest(str(location[-1]), _known_keys(model, location[:-1]))}"
    if first["type"] == "missing":
        return f"{path}: the key '{key}' is missing{_meaning(model, location)}"
    value = "" if isinstance(first["input"], dict) else f" (value: {_REPR.repr(first['input'])[:_SHOWN]})"
    if _is_quoted_number(first):
        value += "; it is text, but must be a number; remove the quotes"
    faults = [fault for fault in errors if _without_union_tags(fault, model) == location]
    message = " or ".join(map(_message, faults))
    return f"{path}: {f'{key}: ' if key else ''}{message}{value}"


def _message(fault: ErrorDetails) -> str:
    """Return what is wrong, in the words of JSON and YAML rather than Python's."""
    return _lower_first(_OF_DOCUMENTS.get(fault["type"], fault["msg"].removeprefix("Value error, ")))


def _is_quoted_number(error: ErrorDetails) -> bool:
    """Return whether a number was expected, and the value is the text of one."""
    try:
        is_text = error["type"] in ("int_type", "float_type") and isinstance(error["input"], str)
        return is_text and math.isfinite(float(error["input"]))
    except ValueError:
        return False


def _lower_first(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _without_union_tags(error: ErrorDetails, model: type[BaseModel]) -> tuple[int | str, ...]:
    """Return where an error is, without the names that pydantic gives to the alternatives of a union.

    Such a name is not a key of its model, not a key of a plain mapping, and not the unknown key of the error.
    """
    location: list[int | str] = []
    annotation: object = model
    *before, last = error["loc"] or ("",)
    for part in before:
        field = _field(model, part)
        if isinstance(part, int) or field is not None or get_origin(annotation) is dict:
            location.append(part)
            annotation = None if field is None else field.annotation
            model = _model_in(annotation) or model
    is_key = error["type"] in ("extra_forbidden", "missing") or isinstance(last, int)
    if is_key or _field(model, last) is not None or get_origin(annotation) is dict:
        location.append(last)
    return tuple(location)


def _field(model: type[BaseModel], key: int | str) -> FieldInfo | None:
    """Return the field with this key or name."""
    fields = model.model_fields.items()
    return next((field for name, field in fields if key in (field.alias or name, name)), None)


def nearest(name: str, known: list[str]) -> str:
    """Return a hint: the known name that is most similar to `name`, else all known names."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    lower = name.lower()
    longer = [candidate for candidate in by_lower if lower and candidate.startswith(lower)]
    similar = difflib.get_close_matches(lower, by_lower, n=1) or longer[:1]
    return f"{_SIMILAR} '{by_lower[similar[0]]}'?" if similar else f"choose from: {', '.join(known)}"


def _meaning(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Return the first sentence of a missing key's description, if it has one."""
    record = _model_at(model, location[:-1])
    described = descriptions(record).get(str(location[-1])) if issubclass(record, Part) else None
    if described is None:
        return ""
    sentence = " ".join(described.split()).partition(". ")[0].removesuffix(".")
    return f": {_lower_first(sentence)}"


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    fields = _model_at(model, location).model_fields
    return [field.alias or name for name, field in fields.items()]


def _model_at(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
