"""Turns what pydantic finds wrong in a file into one line that names file, key and remedy.

It knows models and errors, and no file's meaning; bench/ uses it for its own files too.
"""

import difflib
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_SHOWN = 60


def explain(path: Path, error: ValidationError, model: type[BaseModel]) -> str:
    """Return `FILE: key: what is wrong` for the first thing wrong, with the key nearest an unknown one."""
    first = error.errors()[0]
    location = _without_union_tags(first, model)
    key = ".".join(str(part) for part in location)
    if first["type"] == "json_invalid":
        return f"{path}: is not valid JSON ({first['ctx']['error']})"
    if first["type"] == "extra_forbidden":
        return f"{path}: unknown key '{key}'; {nearest(str(location[-1]), _known_keys(model, location[:-1]))}"
    if first["type"] == "missing":
        return f"{path}: the key '{key}' is missing{_meaning(model, location)}"
    seen = "" if isinstance(first["input"], dict) else f" (seen: {repr(first['input'])[:_SHOWN]})"
    if isinstance(first["input"], str) and first["type"] in ("int_type", "float_type"):
        seen += "; it is text: leave out the quotes"
    messages = [one["msg"] for one in error.errors() if _without_union_tags(one, model) == location]
    message = " or ".join(messages).removeprefix("Value error, ")
    return f"{path}: {key or 'the file'}: {message[:1].lower()}{message[1:]}{seen}"


def _without_union_tags(error: ErrorDetails, model: type[BaseModel]) -> tuple[int | str, ...]:
    """Return where an error is, without the names pydantic gives to the alternatives of a union.

    Those are neither a key of the model that they stand in, nor one of a plain mapping, nor the unknown key
    that the error is about.
    """
    kept: list[int | str] = []
    field: object = model
    *before, last = error["loc"] or ("",)
    for part in before:
        found = _field(model, part)
        if isinstance(part, int) or found is not None or get_origin(field) is dict:
            kept.append(part)
            field = None if found is None else found.annotation
            model = _model_in(field) or model
    is_key = error["type"] in ("extra_forbidden", "missing") or isinstance(last, int)
    if is_key or _field(model, last) is not None or get_origin(field) is dict:
        kept.append(last)
    return tuple(kept)


def _field(model: type[BaseModel], key: int | str) -> FieldInfo | None:
    """Return the field that a file calls by this key."""
    return next((one for name, one in model.model_fields.items() if key in (one.alias or name, name)), None)


def nearest(wanted: str, known: list[str]) -> str:
    """Return a hint: the known name most like `wanted`, else all of them."""
    by_small = {name.lower(): name for name in known}
    small = wanted.lower()
    begin = [name for name in by_small if small and name.startswith(small)]
    near = difflib.get_close_matches(small, by_small, n=1) or begin[:1]
    return f"did you mean '{by_small[near[0]]}'?" if near else f"known are: {', '.join(known)}"


def _meaning(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Return what a missing key is for, where its model says so."""
    field = _model_at(model, location[:-1]).model_fields.get(str(location[-1]))
    return f": {field.description}" if field is not None and field.description else ""


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
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
