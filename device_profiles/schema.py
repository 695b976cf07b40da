"""The JSON Schema of a profile file, with which editors complete and check it.

`python -m device_profiles.schema` writes it next to the profiles; a drift test compares it with the model.
"""

import json
from pathlib import Path
from typing import Any

from device_profiles.profile import Profile

SCHEMA_FILE = Path(__file__).with_name("profile.schema.json")
# `extends` merges these key by key, so a file may give only some of their keys.
_MERGED = ("Processor", "Memory", "Heat", "Readings", "RuntimeChoice", "Sampling", "Budget", "Match")


def profile_schema() -> dict[str, Any]:
    """Return the model's schema with `extends`; a profile that extends another needs only a name."""
    schema = Profile.model_json_schema()
    required = schema.pop("required")
    for part in _MERGED:
        schema["$defs"][part].pop("required", None)
    schema["title"] = "edgefit device profile"
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "The name or path of the profile that this one changes. Figures are replaced whole.",
    }
    schema["anyOf"] = [{"required": ["extends", "name"]}, {"required": required}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Return the content of the schema's file."""
    return json.dumps(profile_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
