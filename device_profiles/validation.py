"""Turns what pydantic finds wrong in a file into one line that names file, key and remedy.

It knows models and errors, and no file's meaning; bench/ uses it for its own files too.
"""

import difflib
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError


def explain(path: Path, error: ValidationError, model: type[BaseModel]) -> str:
    """Return `FILE: key: what is wrong` for the first thing wrong, with the key nearest an unknown one."""
    first = error.errors()[0]
    location = _without_union_tags(first["loc"])
    key = ".".join(str(part) for part in location)
    if first["type"] == "json_invalid":
        return f"{path}: is not valid JSON ({first['ctx']['error']})"
    if first["type"] == "extra_forbidden":
        return f"{path}: unknown key '{key}'; {nearest(str(location[-1]), _known_keys(model, location[:-1]))}"
    if first["type"] == "missing":
        return f"{path}: the key '{key}' is missing{_meaning(model, location)}"
    seen = f" (seen: {str(first['input'])[:60]!r})" if not isinstance(first["input"], dict) else ""
    messages = [one["msg"] for one in error.errors() if _without_union_tags(one["loc"]) == location]
    message = " or ".join(messages).removeprefix("Value error, ")
    return f"{path}: {key or 'the file'}: {message[:1].lower()}{message[1:]}{seen}"


def _without_union_tags(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Drop the names pydantic gives to the alternatives of a union, such as `literal['a']`."""
    return tuple(part for part in location if isinstance(part, int) or part.isidentifier())


def nearest(wanted: str, known: list[str]) -> str:
    """Return a hint: the known name most like `wanted`, else all of them."""
    near = difflib.get_close_matches(wanted, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(known)}"


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
