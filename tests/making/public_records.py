"""The records that cross a file or the wire, and what their fields are described as."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import get_args

from pydantic import BaseModel

from bench.bundle.manifest import Manifest
from bench.choose.choosing import Choice
from bench.gate.document import Checked
from bench.inspect.inspection import ModelInspection
from bench.report.schema import Report
from device_profiles.profile import Profile
from models.records import RunRecord

PUBLIC_RECORDS: tuple[type[BaseModel], ...] = (
    Report,
    Manifest,
    Profile,
    Checked,
    Choice,
    ModelInspection,
    RunRecord,
)


def records_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The records that a field's type names, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from records_in(argument)


def with_nested(record: type[BaseModel]) -> list[type[BaseModel]]:
    """A record and all records within it, each once, in the order of their fields."""
    found: list[type[BaseModel]] = []
    _collect(record, found)
    return found


def _collect(record: type[BaseModel], found: list[type[BaseModel]]) -> None:
    if record in found:
        return
    found.append(record)
    for field in record.model_fields.values():
        for inner in records_in(field.annotation):
            _collect(inner, found)


@cache
def descriptions(record: type[BaseModel]) -> Mapping[str, str]:
    """What each field of a record is: its `Field(description=…)`, else the docstring below it."""
    described = {}
    for base in reversed(record.__mro__):
        if base is not BaseModel and issubclass(base, BaseModel):
            described.update(_docstrings(base))
    stated = {name: field.description for name, field in record.model_fields.items()}
    described.update({name: text for name, text in stated.items() if text is not None})
    return {name: " ".join(described[name].split()) for name in stated if name in described}


def _docstrings(record: type[BaseModel]) -> dict[str, str]:
    """The docstrings below the fields that a class itself defines."""
    origin = record.__pydantic_generic_metadata__["origin"] or record
    body = _class_of(ast.parse(textwrap.dedent(inspect.getsource(origin)))).body
    return {
        field.target.id: below.value.value
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }


def _class_of(module: ast.Module) -> ast.ClassDef:
    (only,) = module.body
    assert isinstance(only, ast.ClassDef)
    return only
