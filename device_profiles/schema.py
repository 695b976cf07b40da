"""The JSON Schema of a profile file, with which editors complete and check it.

The names of the formats are given, because only bench knows them: `python -m bench.runtimes.profile_names`
writes the file. A drift test compares it with the model.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from device_profiles.profile import Profile

SCHEMA_FILE = Path(__file__).with_name("profile.schema.json")
# `extends` merges these key by key, so a file may give only some of their keys.
_MERGED = ("Processor", "Memory", "Heat", "Readings", "RuntimeChoice", "Sampling", "Budget", "Match")


def profile_schema(formats: Iterable[str]) -> dict[str, Any]:
    """Return the model's schema with `extends`; a profile that extends another needs only a name.

    `formats` are the keys that `runtimes` may have.
    """
    schema = Profile.model_json_schema()
    required = schema.pop("required")
    for part in _MERGED:
        schema["$defs"][part].pop("required", None)
    schema["title"] = "edgefit device profile"
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "The name or path of the profile that this one changes. Figures are replaced whole.",
    }
    runtimes = schema["properties"]["runtimes"]
    runtimes["properties"] = dict.fromkeys(formats, runtimes["additionalProperties"])
    runtimes["additionalProperties"] = False
    schema["anyOf"] = [{"required": ["extends", "name"]}, {"required": required}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text(formats: Iterable[str]) -> str:
    """Return the content of the schema's file."""
    return json.dumps(profile_schema(formats), indent=2, ensure_ascii=False) + "\n"
