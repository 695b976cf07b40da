"""The one kind of record that a profile is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# One line for a terminal: nothing that moves its cursor, breaks the line or turns the direction of writing.
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e]*$"
Text = Annotated[str, StringConstraints(pattern=_PLAIN, max_length=1000)]


class Part(BaseModel):
    """A frozen part of a profile; unknown keys, and numbers that are not finite, are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
