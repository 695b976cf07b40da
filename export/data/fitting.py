"""Checks that the labels of data fit the output that is judged. Pure."""

from dataclasses import replace
from typing import TypeVar

import numpy as np

from bench.bundle.evaluation_pack import Labels
from bench.bundle.source_record import OutputRecord
from bench.errors import InputError
from export.data.class_names import listed
from export.data.images import LabelledImages
from export.data.tensors import LabelledTensors
from models.positive import Positive, positive_class
from user_files.printable import printable

Data = TypeVar("Data", LabelledImages, LabelledTensors)

_DECIDES = 2


def class_count(values: int, output: OutputRecord) -> int:
    """Return how many classes an output of so many values tells apart: one value tells two."""
    return _DECIDES if output.kind == "classes" and values == 1 else values


def with_single_labels(found: Data, activation: str | None) -> Data:
    """Return the data with a class per sample if each sample has exactly one of several labels, as in tables
    with a column per class. `activation`: what was stated of the output; sigmoid says that labels they are.
    """
    labels = found.labels
    if labels is None or labels.ndim == 1 or activation == "sigmoid" or (labels.sum(axis=1) != 1).any():
        return found
    note = "Each sample has a single 1 among its labels: that is its class, unless --activation is sigmoid."
    return replace(found, labels=labels.argmax(axis=1).astype(np.int64), notes=(*found.notes, note))


def fitted(found: Data, values: int, output: OutputRecord) -> Data:
    """Return the data with labels as the judged output has them, and with notes on what was done.

    `values`: how many values the output has for a sample. Vectors with a single 1 are classes for an output
    of classes. An output without classes has none (`judged_output` refuses it labels). Raises InputError for
    labels that do not fit.
    """
    if output.kind == "values":
        return replace(found, classes=())
    count = class_count(values, output)
    if found.labels is None:
        return _named(found, count, output)
    if output.kind == "labels":
        return _with_flags(found, found.labels, count, output)
    single = _with_classes(found, found.labels, count, output)
    _refuse_outside(single, count, values, output)
    return _with_note(single, count)


def _named(found: Data, count: int, output: OutputRecord) -> Data:
    """Refuse names of classes that are not as many as the output has."""
    if found.classes and len(found.classes) != count:
        raise InputError(
            f"{found.name}: {len(found.classes)} classes are named ({listed(found.classes)}), and the output "
            f"{_words(count, output)}: name as many, with --classes, in the order of the output"
        )
    return found


def _words(count: int, output: OutputRecord) -> str:
    what = "labels" if output.kind == "labels" else "classes"
    return f"'{output.name}' has {count} {what}"


def _with_flags(found: Data, labels: Labels, count: int, output: OutputRecord) -> Data:
    if labels.ndim == 1 and count == 1 and labels.max(initial=0) <= 1:
        return replace(found, labels=labels[:, None])
    if labels.ndim == 1:
        raise InputError(
            f"{found.name}: each sample has one class, and the output {_words(count, output)} that do not "
            "exclude each other: give 0 or 1 for each label, or state --activation softmax, if they do"
        )
    if labels.shape[1] != count:
        raise InputError(
            f"{found.name}: each sample has {labels.shape[1]} labels ({_names(found)}), and the output "
            f"{_words(count, output)}: give 0 or 1 for each label of the output, in its order"
        )
    return _named(found, count, output)


def _with_classes(found: Data, labels: Labels, count: int, output: OutputRecord) -> Data:
    """Return the data with one class per sample."""
    if labels.ndim == 1:
        return found
    if labels.shape[1] == count and (labels.sum(axis=1) == 1).all():
        return with_single_labels(found, None)
    raise InputError(
        f"{found.name}: each sample has {labels.shape[1]} labels that do not exclude each other "
        f"({_names(found)}), and the output {_words(count, output)} that do: give the class of each sample, "
        "or state --activation sigmoid, if they do not"
    )


def _names(found: LabelledImages | LabelledTensors) -> str:
    return listed(found.classes) or "without names"


def _refuse_outside(
    found: LabelledImages | LabelledTensors, count: int, values: int, output: OutputRecord
) -> None:
    """Raise InputError unless each class of the data is one of the output."""
    assert found.labels is not None
    highest = int(found.labels.max(initial=0))
    if found.classes and len(found.classes) != count:
        remedy = (
            "take data of the classes of the output, or choose another output with --output; if the data has "
            "no labels, list its files in a CSV file with the column 'path' alone"
            if len(found.classes) > count
            else "name all in the order of the output: --classes a,b,…, or a file with a name per line; or "
            "choose another output with --output"
        )
        raise InputError(
            f"{found.name}: the data has {len(found.classes)} classes ({listed(found.classes)}), and the "
            f"output '{output.name}' has {_values(values)}: {remedy}"
        )
    if highest >= count:
        raise InputError(
            f"{found.name}: a label is {highest}, and the output '{output.name}' has {_values(values)}: "
            f"number the classes from 0 to {count - 1}, as the output does, or choose another with --output"
        )


def _values(values: int) -> str:
    return "one value, which tells two classes apart" if values == 1 else f"{values} values"


def _with_note(found: Data, count: int) -> Data:
    assert found.labels is not None
    present = np.unique(found.labels)
    if len(present) >= count:
        return found
    note = f"The data has samples of {len(present)} of the {count} classes of the output."
    return replace(found, notes=(*found.notes, note))


def positive_of(
    found: LabelledImages | LabelledTensors, values: int, output: OutputRecord, stated: str | None = None
) -> Positive | None:
    """Return the class of two that counts as positive: the one that `stated` names, or the data set itself,
    or the names of the classes.

    It is None if there are not two classes. Raises InputError for a stated class that does not exist.
    """
    is_two = output.kind == "classes" and class_count(values, output) == _DECIDES
    if not is_two and stated is not None:
        raise InputError(
            f"--positive {printable(stated)}: the output '{output.name}' does not tell two classes apart; "
            "leave it out"
        )
    if not is_two:
        return None
    names = found.classes or ("0", "1")
    if stated is None and found.positive in names:
        sentence = f"'{found.positive}' is the positive class, as in the data."
        return Positive(names.index(found.positive), sentence)
    return positive_class(names, stated)
