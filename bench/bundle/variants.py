"""The words format, precision and variant. It knows nothing of how a variant is made or run."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from bench.errors import InputError
from device_profiles.validation import nearest

# The controls, each a row in every report: the cost of the harness, and the speed of the machine.
NULL_VARIANT = "null"
CONTROL_VARIANT = "control"


class Precision(str, Enum):
    """The precision that an artifact's weights and arithmetic should have."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True, order=True)
class Variant:
    """A format at a precision, written `onnx-int8`."""

    format: str
    precision: Precision

    def __str__(self) -> str:
        return f"{self.format}-{self.precision.value}"

    @classmethod
    def parse(cls, text: str) -> "Variant":
        """Read `onnx-int8`; raises InputError if the precision is unknown."""
        name, _, precision = text.rpartition("-")
        try:
            return cls(name, Precision(precision))
        except ValueError:
            raise InputError(
                f"'{text}' is not a variant; write FORMAT-PRECISION, such as onnx-int8"
            ) from None


def choose(name: str, known: Iterable[str], noun: str) -> str:
    """Return `name` if it is among `known`; otherwise raise InputError with the nearest name.

    `noun` is what the error calls it: "variant", "profile", "format".
    """
    names = list(known)
    if name in names:
        return name
    raise InputError(f"unknown {noun} '{name}'; {nearest(name, names)}")
