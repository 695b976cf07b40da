"""Pages and schemas that are made from the code say what it says, and real documents fit the schemas."""

import json
import re
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from making.command_page import ENVIRONMENT, EXIT_CODES
from making.generated_pages import GENERATED
from making.json_schemas import schema_text
from making.model_report import every_kind, model_report
from making.public_records import PUBLIC_RECORDS, descriptions, with_nested
from making.repository import ROOT
from making.schema_pages import schema_page
from making.source_bundle import KINDS, Kind, make_source_bundle
from making.source_report import every_report
from making.tiny_report import make_report
from pydantic import BaseModel

from bench.bundle.manifest import MANIFEST, Manifest, read_bundle
from bench.report.files import read_report, to_json
from bench.report.schema import Report

SCHEMA_1 = ROOT / "tests" / "data" / "schema1"
SCHEMAS = ROOT / "docs" / "schemas"
PACKAGES = ("bench", "export", "models", "edgefit", "device_profiles")


def hold(document: str, schema: str) -> None:
    """Hold a document against a schema file."""
    jsonschema.validate(json.loads(document), json.loads((SCHEMAS / schema).read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_generated_file_is_what_the_code_gives(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path](), "run: make docs-generate"


@pytest.mark.parametrize("record", PUBLIC_RECORDS, ids=lambda record: record.__name__)
def test_every_public_field_is_described(record: type[BaseModel]) -> None:
    lacking = [
        f"{inner.__name__}.{name}"
        for inner in with_nested(record)
        for name in inner.model_fields
        if not descriptions(inner).get(name)
    ]

    assert lacking == [], "write a docstring below the field"


@pytest.mark.parametrize("record", PUBLIC_RECORDS, ids=lambda record: record.__name__)
def test_no_description_refers_to_a_record_of_the_code(record: type[BaseModel]) -> None:
    texts = [text for inner in with_nested(record) for text in descriptions(inner).values()]

    assert [text for text in texts if text.startswith("See ")] == []


def test_a_field_without_a_docstring_has_no_description() -> None:
    class Half(BaseModel):
        described: int
        """It is."""
        bare: int

    assert descriptions(Half) == {"described": "It is."}


@cache
def reports() -> dict[str, Report]:
    """Reports of every kind: of bundles and of model files, and of schema 1 as they are read."""
    old = {path.name: read_report(path) for path in sorted(SCHEMA_1.glob("report*.json"))}
    return {"tiny": make_report(), "models": model_report(every_kind()), **every_report(), **old}


@pytest.mark.parametrize("name", reports())
def test_a_report_fits_its_schema(name: str) -> None:
    hold(to_json(reports()[name]), "report.schema.json")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_manifest_fits_its_schema(kind: Kind, tmp_path: Path) -> None:
    bundle = make_source_bundle(tmp_path / "bundle", kind)

    hold((bundle / MANIFEST).read_text(encoding="utf-8"), "manifest.schema.json")


def test_a_manifest_of_schema_1_fits_the_schema_once_it_is_read() -> None:
    manifest = read_bundle(SCHEMA_1 / "bundle").manifest

    hold(manifest.model_dump_json(by_alias=True), "manifest.schema.json")


def test_the_schema_refuses_a_key_that_there_is_not() -> None:
    document = {**json.loads(to_json(make_report())), "colour": "blue"}

    with pytest.raises(jsonschema.ValidationError, match="colour"):
        hold(json.dumps(document), "report.schema.json")


@pytest.mark.parametrize("root", [Report, Manifest])
def test_every_key_of_a_schema_is_on_its_page_and_described(root: type[BaseModel]) -> None:
    schema = json.loads(schema_text(root))
    page = schema_page("", root)

    for key, field in properties(schema):
        assert field.get("description"), key
        assert f"- **`{key}`** (" in page


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The keys of all records of a schema."""
    for record in (schema, *schema["$defs"].values()):
        yield from record.get("properties", {}).items()


def sources() -> Iterator[str]:
    """The text of every module of the packages."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.read_text(encoding="utf-8")


def test_every_environment_variable_is_on_the_page() -> None:
    named = {name for text in sources() for name in re.findall(r"\bEDGEFIT_[A-Z_]+\b", text)}

    assert {*named, "TMPDIR"} == set(ENVIRONMENT)


def test_every_exit_code_is_on_the_page() -> None:
    names = "exit_code|_?[A-Z]*(?:BLOCKED|NOTHING|NONE|CRASHED|WRONG|INTERRUPTED)[A-Z_]*"
    assigned = re.compile(rf"^ *(?:{names}) = (\d+)$", re.MULTILINE)
    stated = {int(code) for text in sources() for code in assigned.findall(text)}
    by_signal = {128 + number for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM)}

    assert stated | by_signal | {0} == set(EXIT_CODES)
