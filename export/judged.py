"""Which output of a source is judged, and what its values are. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Tensor
from bench.bundle.source_record import Activation, OutputKind, OutputRecord
from bench.bundle.variants import choose
from bench.errors import InputError

ACTIVATIONS: tuple[Activation, ...] = ("logits", "softmax", "sigmoid")
_SCORE_AXES = 2
_IMAGE_AXES = 4
# How far the sum of an item's probabilities may be from 1 in half precision.
_NEAR_ONE = 5e-3


def judged_output(
    outputs: Sequence[Tensor], name: str | None, labels: Labels | None, activation: str | None
) -> OutputRecord:
    """Return the output that is judged: the one called `name`, else the first with a score per class, else
    the first. Its activation is the one that was stated, or `none` as long as it is not known.

    Raises InputError for an unknown name or activation, and if labels fit no output.
    """
    if activation is not None:
        choose(activation, ACTIVATIONS, "activation")
    index = _index_of(outputs, name)
    output = outputs[index]
    kind = _kind_of(scores_of(output), labels, activation)
    if kind == "values" and (labels is not None or activation is not None):
        what, remedy = f"--activation {activation}", "it out"
        if labels is not None:
            what = "labels"
            remedy = (
                "the labels out: list the files in a CSV file with the column 'path' alone, or yield none"
            )
        raise InputError(
            f"{what}: they need an output with a score per class, [batch, classes], and '{output.name}' is "
            f"{output.words}; name another with --output, or leave {remedy}"
        )
    return OutputRecord(
        name=output.name,
        index=index,
        kind=kind,
        activation=_stated(activation),
        quantisation=output.quantisation,
    )


def refuse_idle_names(output: OutputRecord, classes: str | None) -> None:
    """Raise InputError for stated names of classes that the judged output has none of."""
    if output.kind == "values" and classes is not None:
        raise InputError(
            f"--classes: the judged output '{output.name}' holds no classes; leave it out, or name another "
            "with --output"
        )


def _index_of(outputs: Sequence[Tensor], name: str | None) -> int:
    names = [output.name for output in outputs]
    if name is not None:
        return names.index(choose(name, names, "output"))
    return next((index for index, output in enumerate(outputs) if scores_of(output) is not None), 0)


def _stated(activation: str | None) -> Activation:
    return next((known for known in ACTIVATIONS if known == activation), "none")


def scores_of(output: Tensor) -> int | None:
    """Return how many scores an output has for each item, by its shape; None if it holds anything else."""
    shape = output.shape
    if shape is None or not (output.dtype.startswith("float") or output.quantisation is not None):
        return None
    if len(shape) == _IMAGE_AXES and shape[2:] == (1, 1):
        shape = shape[:2]
    if len(shape) == 1:
        return 1
    last = shape[-1]
    return last if len(shape) == _SCORE_AXES and isinstance(last, int) else None


def _kind_of(scores: int | None, labels: Labels | None, activation: str | None) -> OutputKind:
    if scores is None:
        return "values"
    if labels is not None:
        return "labels" if labels.ndim > 1 else "classes"
    if scores == 1:  # without labels, one value may be anything
        return "values" if activation is None else "classes"
    return "labels" if activation == "sigmoid" else "classes"


def with_activation(
    output: OutputRecord, values: npt.NDArray[np.float32], labels: Labels | None
) -> OutputRecord:
    """Return the output with what its values are, [samples, values].

    Several values between 0 and 1 that do not sum to 1 are those of several labels, unless labels say
    otherwise. Values outside of 0 to 1 are logits, whatever was stated: the softmax or sigmoid is still to be
    computed of them. Raises InputError for a stated softmax of one value, of labels that do not exclude
    each other, or whose values are no probabilities.
    """
    if output.kind == "values":
        return output
    if output.activation == "softmax":
        _refuse_softmax(output, values.shape[1])
        _refuse_no_probabilities(output, values)
    activation = _activation_of(values, output)
    if output.activation != "none":
        known = "logits" if activation == "logits" else output.activation
        return output.model_copy(update={"activation": known})
    is_several = activation == "sigmoid" and values.shape[1] > 1 and labels is None
    kind: OutputKind = "labels" if is_several else output.kind
    return output.model_copy(update={"activation": activation, "kind": kind})


def _refuse_softmax(output: OutputRecord, values: int) -> None:
    if output.kind == "labels":
        raise InputError(
            f"--activation softmax: the samples have several labels, and those of a softmax exclude each "
            f"other; state what '{output.name}' holds: --activation sigmoid or logits"
        )
    if values == 1:
        raise InputError(
            f"--activation softmax: '{output.name}' has one value, whose softmax is always 1; state "
            "--activation sigmoid or logits"
        )


def _refuse_no_probabilities(output: OutputRecord, values: npt.NDArray[np.float32]) -> None:
    lowest, highest = float(values.min()), float(values.max())
    if lowest < -_NEAR_ONE or highest > 1 + _NEAR_ONE:
        raise InputError(
            f"--activation softmax: output '{output.name}' has values from {lowest:.3g} to {highest:.3g}; "
            "probabilities are from 0 to 1; state --activation logits, or leave it out"
        )


def _activation_of(values: npt.NDArray[np.float32], output: OutputRecord) -> Activation:
    if values.min() < 0 or values.max() > 1:
        return "logits"
    is_sum_one = values.shape[1] > 1 and _sum_to_one(values, output.quantisation)
    return "softmax" if is_sum_one and output.kind != "labels" else "sigmoid"


def _sum_to_one(values: npt.NDArray[np.float32], quantisation: Quantisation | None) -> bool:
    """Whether the values of each sample sum to 1, but for the rounding of each: small ones become 0."""
    rounding = 0.0 if quantisation is None else quantisation.scale / 2
    sums = values.sum(axis=1)
    most = 1 + _NEAR_ONE + np.count_nonzero(values, axis=1) * rounding
    return bool((sums < most).all() and (sums > 1 - _NEAR_ONE - values.shape[1] * rounding).all())
