"""The one kind of record that a profile is made of."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen part of a profile; unknown keys, and numbers that are not finite, are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
