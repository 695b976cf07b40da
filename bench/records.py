"""The one kind of record that crosses a process or a file in bench/."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Frozen and strict; unknown keys are refused; infinities survive JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="strings")
