"""The JSON Schema of a profile file, by which editors complete and check one.

`python -m device_profiles.schema` writes it beside the profiles; a drift test holds it to the model.
"""

import json
from pathlib import Path
from typing import Any

from device_profiles.profile import Profile

SCHEMA_FILE = Path(__file__).with_name("profile.schema.json")
# What `extends` lays over its base key by key, so that a file may give some of the keys alone.
_LAID_OVER = ("Processor", "Memory", "Heat", "Readings", "RuntimeChoice", "Sampling", "Budget", "Match")


def profile_schema() -> dict[str, Any]:
    """Return the schema: the model's own, and `extends`, with which nothing else but the name is required."""
    schema = Profile.model_json_schema()
    required = schema.pop("required")
    for part in _LAID_OVER:
        schema["$defs"][part].pop("required", None)
    schema["title"] = "edgefit device profile"
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "The name or path of a profile that this one changes; figures are replaced whole.",
    }
    schema["anyOf"] = [{"required": ["extends", "name"]}, {"required": required}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Return the schema as it stands in its file."""
    return json.dumps(profile_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
