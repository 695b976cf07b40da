"""The records that cross a file or the wire, and what their fields are described as."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import get_args

from pydantic import BaseModel

from bench.bundle.manifest import Manifest
from bench.choose.choosing import Choice
from bench.gate.document import Checked
from bench.inspect.inspection import ModelInspection
from bench.report.schema import Report
from device_profiles.descriptions import descriptions as docstrings
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
    stated = {name: field.description for name, field in record.model_fields.items()}
    described = {**docstrings(record), **{name: text for name, text in stated.items() if text is not None}}
    return {name: " ".join(described[name].split()) for name in stated if name in described}
