"""Rebuilds the NumPy scalars and arrays of a pickle itself, so that NumPy's own unpickling never runs.

NumPy restores types with flags and arrays with raw bytes from the file, which a harmful file can use to read
and write memory. Here a type is one of plain numbers or text, and an array its bytes, whose number must fit.
"""

import re
from collections.abc import Callable, Sequence
from pickle import UnpicklingError
from typing import Any

import numpy as np
import numpy.typing as npt

_PLAIN = re.compile(r"[<>=|]?([biufc][1-9]\d?|[US]\d{1,9})")


class PlainType:
    """What `numpy.dtype` is in a pickle, of numbers and text alone."""

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or _PLAIN.fullmatch(code) is None:
            raise UnpicklingError(f"a NumPy type other than numbers and text: {code!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Sequence[object]) -> None:
        """Take the byte order; refuse fields, of which no plain type has any."""
        if any(part is not None for part in state[2:5]):
            raise UnpicklingError("a NumPy type with fields")
        if state[1] == ">":
            self.dtype = self.dtype.newbyteorder(">")


class PlainArray:
    """What `numpy.ndarray` is in a pickle: empty until its state is set."""

    def __init__(self, *_: object) -> None:
        self.values: npt.NDArray[Any] = np.empty(0)

    def __setstate__(self, state: Sequence[Any]) -> None:
        """Take shape, type, order and bytes."""
        _, shape, plain, is_by_columns, content = state
        if not isinstance(plain, PlainType) or not isinstance(content, bytes):
            raise UnpicklingError("a NumPy array of Python objects")
        flat = np.frombuffer(content, plain.dtype)
        self.values = flat.reshape(shape, order="F" if is_by_columns else "C")


def _scalar(plain: object, content: object = b"") -> object:
    if not isinstance(plain, PlainType) or not isinstance(content, bytes):
        raise UnpicklingError("a NumPy scalar that is a Python object")
    return np.frombuffer(content, plain.dtype, count=1)[0].item()


def _no_bytes() -> bytes:
    return b""


def _empty(*_: object) -> PlainArray:
    return PlainArray()


Allowed = tuple[Callable[..., object], str]
"""A function, and the name in a pickle in whose place it is called."""

ALLOWED: tuple[Allowed, ...] = (
    (PlainType, "numpy.dtype"),
    (PlainArray, "numpy.ndarray"),
    (_no_bytes, "builtins.bytes"),  # the content of an empty array
    *((_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *((_empty, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
)
"""For torch.serialization.safe_globals: the names of NumPy 1 and of NumPy 2."""
