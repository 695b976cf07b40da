"""Compares the outputs of two model files on the same inputs. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.bundle.source_record import OutputRecord
from bench.measurements import OutputValues
from bench.report.schema import OutputComparison, OutputsComparison
from bench.statistics import accuracy
from bench.statistics.accuracy import Logits
from bench.statistics.scores import decisions

_THRESHOLDS = {True: 0.5, False: 0.0}

Values = npt.NDArray[np.float64]


def judged_outputs(values: Logits, output: OutputRecord) -> tuple[OutputValues, ...]:
    """Return a bundle's judged output as an output to compare: values [inferences, values].

    Its decisions are the items that are classified.
    """
    decided = decisions(values, None, output)
    classes = None if decided is None else tuple(map(int, accuracy.predictions(decided.scores)))
    rows = tuple(tuple(map(float, row)) for row in values)
    return (OutputValues(name=output.name, shape=values.shape[1:], classes=classes, values=rows),)


def compare_outputs(
    outputs: Sequence[OutputValues],
    reference: Sequence[OutputValues],
    reference_case: str,
    judged: str | None = None,
) -> OutputsComparison:
    """Compare each output with the reference's of the same name; else with that at the same place.

    Outputs that have no counterpart of the same shape are listed as unmatched. `judged`: the output that
    `--output` names.
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
        judged=judged,
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
        """Whether there is a counterpart of the same shape, with as many values for every inference."""
        other = self.reference
        if other is None or _without_ones(other.shape) != _without_ones(self.output.shape):
            return False
        # Detections: two files can be compared only where they give as many for every input.
        return _counts(other) == _counts(self.output)


def pair_outputs(outputs: Sequence[OutputValues], reference: Sequence[OutputValues]) -> list[OutputPair]:
    """Pair each output with the reference's of the same name; if a name is new, all by their place."""
    by_name = {other.name: other for other in reference}
    if all(output.name in by_name for output in outputs):
        return [OutputPair(output, by_name[output.name]) for output in outputs]
    by_place = [*reference, *[None] * len(outputs)]
    return [OutputPair(output, other) for output, other in zip(outputs, by_place, strict=False)]


def _without_ones(shape: Sequence[int] | None) -> list[int] | None:
    """Return a shape without axes of size 1, which formats add and drop: [1, 5, 1, 1] is [1, 5]."""
    return None if shape is None else [size for size in shape if size != 1]


def _counts(output: OutputValues) -> list[int]:
    return [len(values) for values in output.values]


def compare_output(output: OutputValues, reference: OutputValues) -> OutputComparison:
    """Compare an output with one of the same shape, for the same inputs."""
    values, expected = _all(output), _all(reference)
    right = classes_of(reference, reference)
    classes = None if right is None else classes_of(output, reference)
    known = classes is not None and right is not None and len(classes) == len(right) and len(right) > 0
    return OutputComparison(
        name=output.name,
        items=len(right) if known and right is not None else None,
        agreement=float(np.mean(classes == right)) if known else None,
        cosine=_cosine(output.values, reference.values),
        sqnr_db=accuracy.sqnr_db(values, expected) if np.any(expected) else None,
        largest_difference=float(np.abs(values - expected).max()) if values.size else 0.0,
    )


def _all(output: OutputValues) -> Values:
    """Return the values of all inferences, one behind the other."""
    return np.array([value for values in output.values for value in values], dtype=np.float64)


def classes_of(output: OutputValues, reference: OutputValues) -> npt.NDArray[np.int64] | None:
    """Return the class of each item; None where the output has not the shape of classes.

    One value an item may be the score of one of two classes, or any other number. It is taken for a score if
    both classes occur in the reference. The reference sets the threshold too: 0.5 if all of its values are
    in [0, 1], as behind a sigmoid, else 0, as for a logit.
    """
    if output.classes is not None:
        return np.asarray(output.classes, dtype=np.int64)
    shape = output.shape or ()
    one_value = len(shape) > 1 and math.prod(shape[1:]) == 1
    expected = _all(reference)
    if not one_value or not expected.size:
        return None
    threshold = _THRESHOLDS[bool(expected.min() >= 0 and expected.max() <= 1)]
    if len(np.unique(expected > threshold)) == 1:
        return None
    return (_all(output) > threshold).astype(np.int64)


def _cosine(values: Sequence[Sequence[float]], expected: Sequence[Sequence[float]]) -> float | None:
    """Return the mean over inferences of the cosine of the angle between both.

    None if one is all zeros, and for a single value, between which there is no angle. Inferences without a
    value are left out; None if none has one.
    """
    pairs = [
        (np.array(ours), np.array(theirs)) for ours, theirs in zip(values, expected, strict=True) if len(ours)
    ]
    lengths = [float(np.linalg.norm(ours) * np.linalg.norm(theirs)) for ours, theirs in pairs]
    if not lengths or not all(lengths) or all(len(ours) == 1 for ours, _ in pairs):
        return None
    cosines = [float(ours @ theirs) / length for (ours, theirs), length in zip(pairs, lengths, strict=True)]
    return sum(cosines) / len(cosines)
