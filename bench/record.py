"""The one kind of record that crosses a process or a file in bench/."""

from pydantic import ConfigDict

from user_files.checked_record import CheckedRecord


class Record(CheckedRecord):
    """Frozen and strict; unknown keys and numbers that are not finite are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
