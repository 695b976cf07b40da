"""The JSON Schema of a document, with the description of every field."""

import inspect
import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from making.public_records import descriptions, with_nested

JsonSchema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Documented:
    """A record with its place in the schema."""

    record: type[BaseModel]
    key: str
    """Its key in `$defs`."""
    schema: JsonSchema
    """Its own schema."""

    @property
    def name(self) -> str:
        """Its name. The variants of a generic record have one name."""
        return self._origin.__name__

    @property
    def about(self) -> str:
        """What it is: its docstring."""
        return inspect.cleandoc(self._origin.__doc__ or "")

    @property
    def _origin(self) -> type[BaseModel]:
        origin: type[BaseModel] | None = self.record.__pydantic_generic_metadata__["origin"]
        return origin or self.record


@dataclass(frozen=True)
class Documentation:
    """A document's records, and its other definitions such as enumerations."""

    records: tuple[Documented, ...]
    """The document's own record first, then those within it, in the order of their fields."""
    definitions: dict[str, JsonSchema]
    """`$defs`."""


def documentation(root: type[BaseModel]) -> Documentation:
    """Return the schema of a document, each field with its description."""
    records = with_nested(root)
    keys, whole = models_json_schema([(record, "validation") for record in records], by_alias=True)
    definitions = whole["$defs"]
    documented = []
    for record in records:
        key = str(keys[record, "validation"]["$ref"]).rpartition("/")[2]
        schema = _described(record, definitions[key])
        definitions[key] = schema
        documented.append(Documented(record, key, schema))
    return Documentation(tuple(documented), definitions)


def _described(record: type[BaseModel], schema: JsonSchema) -> JsonSchema:
    """A record's schema without the titles, which only repeat the keys, and with its descriptions."""
    texts = {record.model_fields[name].alias or name: text for name, text in descriptions(record).items()}
    properties = {
        key: {
            **{word: value for word, value in field.items() if word != "title"},
            **({"description": texts[key]} if key in texts else {}),
        }
        for key, field in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def schema_text(root: type[BaseModel]) -> str:
    """Return the content of a document's schema file."""
    documented = documentation(root)
    own, *_ = documented.records
    nested = {key: schema for key, schema in documented.definitions.items() if key != own.key}
    schema = {"$schema": _DIALECT, **own.schema, "title": f"edgefit {own.name.lower()}", "$defs": nested}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
