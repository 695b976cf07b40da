"""The base of all records in a profile."""

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from user_files.checked_record import CheckedRecord
from user_files.names import LONGEST, UNWRITABLE

PLAIN = f"^[^{UNWRITABLE}]*$"
"""Matches text for one line of a terminal: no character moves the cursor, breaks the line or reverses it."""
Text = Annotated[str, StringConstraints(pattern=PLAIN, max_length=LONGEST)]


class Part(CheckedRecord):
    """A frozen part of a profile. Unknown keys and infinite numbers are errors.

    The docstring below a field is its description in profile.schema.json.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
