"""Compares the outputs of two model files on the same inputs. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.measurements import OutputValues
from bench.report.schema import OutputComparison, OutputsComparison
from bench.statistics import accuracy

_THRESHOLDS = {True: 0.5, False: 0.0}


def compare_outputs(
    outputs: Sequence[OutputValues], reference: Sequence[OutputValues], reference_case: str
) -> OutputsComparison:
    """Compare each output with the reference's of the same name; else with that at the same place.

    Outputs that have no counterpart of the same shape are listed as unmatched.
    """
    pairs = pair_outputs(outputs, reference)
    return OutputsComparison(
        reference=reference_case,
        outputs=tuple(
            compare_output(pair.output, pair.reference)
            for pair in pairs
            if pair.reference is not None and pair.fits
        ),
        unmatched=tuple(pair.output.name for pair in pairs if not pair.fits),
    )


@dataclass(frozen=True)
class OutputPair:
    """An output and its counterpart."""

    output: OutputValues
    """The output."""
    reference: OutputValues | None
    """The reference's output of the same name, or at the same place; None if there is none."""

    @property
    def fits(self) -> bool:
        """Whether there is a counterpart of the same shape, for as many inferences."""
        other = self.reference
        if other is None or _without_ones(other.shape) != _without_ones(self.output.shape):
            return False
        return len(other.values) == len(self.output.values)


def pair_outputs(outputs: Sequence[OutputValues], reference: Sequence[OutputValues]) -> list[OutputPair]:
    """Pair each output with the reference's of the same name; if a name is new, all by their place."""
    by_name = {other.name: other for other in reference}
    if all(output.name in by_name for output in outputs):
        return [OutputPair(output, by_name[output.name]) for output in outputs]
    by_place = [*reference, *[None] * len(outputs)]
    return [OutputPair(output, other) for output, other in zip(outputs, by_place, strict=False)]


def _without_ones(shape: Sequence[int]) -> list[int]:
    """Return a shape without axes of size 1, which formats add and drop: [1, 5, 1, 1] is [1, 5]."""
    return [size for size in shape if size != 1]


def compare_output(output: OutputValues, reference: OutputValues) -> OutputComparison:
    """Compare an output with one of the same shape, for the same inputs."""
    values, expected = _array(output.values), _array(reference.values)
    classes, right = classes_of(output), classes_of(reference)
    known = classes is not None and right is not None and len(classes) == len(right) and len(right) > 0
    return OutputComparison(
        name=output.name,
        items=len(right) if known and right is not None else None,
        agreement=float(np.mean(classes == right)) if known else None,
        cosine=_cosine(values, expected),
        sqnr_db=accuracy.sqnr_db(values, expected) if np.any(expected) else None,
        largest_difference=float(np.abs(values.astype(np.float64) - expected).max()) if values.size else 0.0,
    )


def _array(values: Sequence[Sequence[float]]) -> npt.NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def classes_of(output: OutputValues) -> npt.NDArray[np.int64] | None:
    """Return the class of each item; None where the output has not the shape of classes.

    One value an item is the score of one of two classes. Its threshold is 0.5 if all values are in [0, 1], as
    behind a sigmoid, else 0, as for a logit.
    """
    if output.classes is not None:
        return np.asarray(output.classes, dtype=np.int64)
    one_value = len(output.shape) > 1 and math.prod(output.shape[1:]) == 1
    values = _array(output.values)
    if not one_value or not values.size:
        return None
    is_probability = bool(values.min() >= 0 and values.max() <= 1)
    return (values.reshape(-1) > _THRESHOLDS[is_probability]).astype(np.int64)


def _cosine(values: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> float | None:
    """Return the mean over inferences of the cosine of the angle between both; None if one is all zeros."""
    lengths = np.linalg.norm(values.astype(np.float64), axis=1) * np.linalg.norm(
        expected.astype(np.float64), axis=1
    )
    if not values.size or not lengths.all():
        return None
    products = (values.astype(np.float64) * expected).sum(axis=1)
    return float(np.mean(products / lengths))
