"""The words format, precision and variant. It knows nothing of how a variant is made or run."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from bench.errors import InputError
from device_profiles.validation import nearest

# Rows of their own in every report: what the harness itself costs, and how fast the machine was.
NULL_VARIANT = "null"
CONTROL_VARIANT = "control"


class Precision(str, Enum):
    """What an artifact's weights and arithmetic are asked to be."""

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
        """Read `onnx-int8`; raises InputError for anything that has no known precision."""
        name, _, precision = text.rpartition("-")
        try:
            return cls(name, Precision(precision))
        except ValueError:
            raise InputError(
                f"'{text}' is not a variant; write FORMAT-PRECISION, such as onnx-int8"
            ) from None


def choose(wanted: str, known: Iterable[str], what: str) -> str:
    """Return `wanted` if it is among `known`; else raise InputError with the nearest name.

    `what` is the noun of the sentence: "variant", "profile", "format".
    """
    names = list(known)
    if wanted in names:
        return wanted
    raise InputError(f"unknown {what} '{wanted}'; {nearest(wanted, names)}")
