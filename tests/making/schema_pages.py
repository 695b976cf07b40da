"""Pages that describe a document's records: a section for each record, a line for each key."""

from pydantic import BaseModel

from making.json_schemas import Documented, JsonSchema, documentation
from user_files.checked_record import LARGEST_NUMBER

_NUMBERS = ("number", "integer")
_PLURALS = {"string": "strings", "number": "numbers", "integer": "integers", "boolean": "booleans"}


def schema_page(introduction: str, root: type[BaseModel]) -> str:
    """Return the page of a document, below its introduction. The records of a profile stand last."""
    documented = documentation(root)
    names = {record.key: record.name for record in documented.records}
    words = _Words(names, documented.definitions)
    own: dict[str, list[Documented]] = {}
    profile: dict[str, list[Documented]] = {}
    for record in documented.records:
        part = profile if record.record.__module__.startswith("device_profiles.") else own
        part.setdefault(record.name, []).append(record)
    parts = [introduction.strip() + "\n", "## Records\n", *_sections(own, words)]
    if profile:
        parts += ["## Records of the device profile\n", *_sections(profile, words)]
    return "\n".join(parts)


def _sections(records: dict[str, list[Documented]], words: "_Words") -> list[str]:
    return [_section(name, variants, words) for name, variants in records.items()]


def _section(name: str, variants: list[Documented], words: "_Words") -> str:
    """A record's section. Variants of a generic record differ only in the types of their keys."""
    first = variants[0]
    lines = [f"### {name}", "", first.about, ""]
    for key, field in first.schema["properties"].items():
        types = dict.fromkeys(words.of(variant.schema["properties"][key]) for variant in variants)
        shown = " or ".join(types) + _presence(key, first.schema, field)
        lines.append(f"- **`{key}`** ({shown}): {field['description']}")
    return "\n".join([*lines, ""])


def _presence(key: str, record: JsonSchema, field: JsonSchema) -> str:
    """What a missing key means; nothing where it may not be missing."""
    if key in record.get("required", ()):
        return ""
    default = field.get("default")
    return (
        f"; `{_json(default)}` if missing" if isinstance(default, str | int | float) else "; may be missing"
    )


class _Words:
    """Types in words. `names` are the sections of records by their keys in `$defs`."""

    def __init__(self, names: dict[str, str], definitions: dict[str, JsonSchema]) -> None:
        self._names = names
        self._definitions = definitions

    def of(self, schema: JsonSchema, is_plural: bool = False) -> str:
        """Return a type in words."""
        for key, describe in {
            "$ref": self._reference,
            "anyOf": self._either,
            "oneOf": self._either,
            "enum": _values,
            "const": _values,
        }.items():
            if key in schema:
                return describe(schema)
        return self._simple(schema, is_plural)

    def _reference(self, schema: JsonSchema) -> str:
        key = str(schema["$ref"]).rpartition("/")[2]
        if key not in self._names:
            return self.of(self._definitions[key])
        name = self._names[key]
        return f"[{name}](#{name.lower()})"

    def _either(self, schema: JsonSchema) -> str:
        options = schema.get("anyOf") or schema["oneOf"]
        return " or ".join(dict.fromkeys(self.of(option) for option in options))

    def _items(self, schema: JsonSchema) -> str:
        """What a list or an object contains: the plural, and several possibilities in brackets."""
        words = self.of(schema, is_plural=True)
        return f"({words})" if " or " in words else words

    def _simple(self, schema: JsonSchema, is_plural: bool) -> str:
        kind = str(schema["type"])
        if kind == "array":
            return self._array(schema, is_plural)
        if kind == "object":
            values = schema.get("additionalProperties")
            return f"object of {self._items(values)} by name" if isinstance(values, dict) else kind
        name = _PLURALS.get(kind, kind) if is_plural else kind
        return name + (_limits(schema) if kind in _NUMBERS else "")

    def _array(self, schema: JsonSchema, is_plural: bool) -> str:
        noun = "lists" if is_plural else "list"
        if "prefixItems" not in schema:
            return f"{noun} of {self._items(schema['items'])}"
        items = [self.of(item, is_plural=True) for item in schema["prefixItems"]]
        return f"{noun} of {len(items)} {items[0]}"


def _values(schema: JsonSchema) -> str:
    values = schema.get("enum", [schema.get("const")])
    return " or ".join(f"`{_json(value)}`" for value in values)


def _json(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _limits(schema: JsonSchema) -> str:
    """The limits of a number, behind its type; not those of 64 bits, which all whole numbers have."""
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    parts = [
        f"≥ {low:.12g}" if low not in (None, -LARGEST_NUMBER) else "",
        f"> {above:.12g}" if above is not None else "",
        f"≤ {high:.12g}" if high not in (None, LARGEST_NUMBER) else "",
        f"< {below:.12g}" if below is not None else "",
    ]
    stated = ", ".join(part for part in parts if part)
    return f" ({stated})" if stated else ""
