"""Labels fit the output that is judged, or one error says what to do."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from bench.bundle.evaluation_pack import Labels
from bench.bundle.signature import Tensor
from bench.bundle.source_record import OutputRecord
from bench.bundle.tensor_pack import TensorPack
from bench.errors import InputError
from export.data.fitting import fitted, positive_of, with_single_labels
from export.data.tensors import LabelledTensors
from models.errors import InputError as ModelsInputError

INDICES = np.arange(4)


def output(kind: Literal["classes", "labels", "values"]) -> OutputRecord:
    return OutputRecord(name="logits", index=0, kind=kind, activation="logits")


def data(labels: object, *classes: str) -> LabelledTensors:
    values: Labels | None = None if labels is None else np.array(labels, dtype=np.int64)
    return LabelledTensors(
        name="films",
        pack=TensorPack((np.zeros((12, 1), np.float32),)),
        inputs=(Tensor(name="x", dtype="float32", shape=(1,)),),
        labels=values,
        classes=classes,
        calibration=INDICES,
        held_out=INDICES + 4,
        evaluation=INDICES + 8,
        notes=("one",),
    )


def test_classes_that_fit_are_kept_as_they_are() -> None:
    found = data([0, 1, 2], "a", "b", "c")
    assert fitted(found, 3, output("classes")) is found


def test_one_value_tells_two_classes_apart() -> None:
    found = data([0, 1, 1], "a", "b")
    assert fitted(found, 1, output("classes")) is found
    with pytest.raises(InputError, match=r"3 classes .* has one value, which tells two classes apart"):
        fitted(data([0, 1, 2], "a", "b", "c"), 1, output("classes"))


def test_other_numbers_of_classes_are_refused_with_both() -> None:
    with pytest.raises(
        InputError,
        match=r"films: the data has 3 classes \(a, b, c\), and the output 'logits' has 2 values: take",
    ):
        fitted(data([0, 1, 2], "a", "b", "c"), 2, output("classes"))
    with pytest.raises(InputError, match=r"2 classes .* has 10 values: name all in the order of the output"):
        fitted(data([0, 1], "a", "b"), 10, output("classes"))


def test_numbers_may_be_fewer_than_the_outputs_and_that_is_said() -> None:
    notes = fitted(data([0, 7, 7]), 10, output("classes")).notes
    assert notes == ("one", "The data has samples of 2 of the 10 classes of the output.")
    with pytest.raises(InputError, match="a label is 10, and the output 'logits' has 10 values"):
        fitted(data([0, 10]), 10, output("classes"))


def test_a_single_one_among_the_labels_is_a_class() -> None:
    labels = fitted(data([[0, 1, 0], [0, 0, 1], [1, 0, 0]], "a", "b", "c"), 3, output("classes")).labels
    assert labels is not None
    assert labels.tolist() == [1, 2, 0]
    with pytest.raises(InputError, match=r"3 labels that do not exclude each other \(without names\)"):
        fitted(data([[0, 1, 1]]), 3, output("classes"))


def test_one_label_each_may_be_classes_before_the_output_is_known() -> None:
    found = data([[0, 1], [1, 0]], "a", "b")
    labels = with_single_labels(found, None).labels
    assert labels is not None
    assert labels.tolist() == [1, 0]
    assert with_single_labels(found, "sigmoid") is found
    several = data([[0, 0], [1, 0]], "a", "b")
    assert with_single_labels(several, None) is several


def test_several_labels_fit_an_output_of_labels() -> None:
    found = data([[0, 1, 1]], "a", "b", "c")
    assert fitted(found, 3, output("labels")) is found
    with pytest.raises(InputError, match=r"3 labels \(a, b, c\), and the output 'logits' has 14 labels"):
        fitted(found, 14, output("labels"))
    with pytest.raises(InputError, match="each sample has one class"):
        fitted(data([0, 1]), 3, output("labels"))


def test_an_output_without_classes_has_no_names() -> None:
    assert fitted(data(None, "a", "b"), 100, output("values")).classes == ()


def test_names_of_unlabelled_data_are_as_many_as_classes() -> None:
    with pytest.raises(InputError, match="2 classes are named"):
        fitted(data(None, "a", "b"), 3, output("classes"))


def label_of(found: LabelledTensors, values: int, stated: str | None = None) -> int | None:
    positive = positive_of(found, values, output("classes"), stated)
    return None if positive is None else positive.label


def test_the_positive_of_two_classes_is_stated_or_told_by_the_names_or_the_second() -> None:
    found = data([0, 1], "ill", "healthy")
    assert label_of(found, 2) == 0
    assert label_of(found, 1, "healthy") == 1
    assert label_of(data([0, 1]), 2) == 1
    assert label_of(data([0, 1]), 2, "0") == 0
    assert label_of(found, 3) is None
    assert positive_of(found, 2, output("labels")) is None
    with pytest.raises(ModelsInputError, match="no such class; choose 'ill' or 'healthy'"):
        label_of(found, 2, "sick")
    with pytest.raises(InputError, match="does not tell two classes apart"):
        label_of(found, 3, "ill")


def test_what_the_data_set_itself_calls_positive_comes_before_the_names() -> None:
    found = replace(data([0, 1], "ill", "healthy"), positive="healthy")
    assert label_of(found, 2) == 1
    assert label_of(found, 2, "ill") == 0
