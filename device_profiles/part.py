"""The base of all records in a profile."""

from typing import Annotated

from pydantic import ConfigDict, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from device_profiles.descriptions import descriptions
from user_files.checked_record import CheckedRecord
from user_files.names import LONGEST, UNWRITABLE

PLAIN = f"^[^{UNWRITABLE}]*$"
"""Matches text for one line of a terminal: no character moves the cursor, breaks the line or reverses it."""
Text = Annotated[str, StringConstraints(pattern=PLAIN, max_length=LONGEST)]


class Part(CheckedRecord):
    """A frozen part of a profile. Unknown keys and infinite numbers are errors.

    The docstring below a field is its description in profile.schema.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the part's JSON Schema with the descriptions of its fields."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        for name, text in descriptions(cls).items():
            schema["properties"][cls.model_fields[name].alias or name]["description"] = text
        return schema
