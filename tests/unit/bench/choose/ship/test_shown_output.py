"""The lines of classify.py that turn the judged output into an answer, run on outputs of every kind."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.bundle.judged_output import judged_values
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Array, Tensor
from bench.bundle.source_record import OutputRecord
from bench.choose.ship.shown_output import ShownOutput
from bench.errors import InputError


def answer(
    values: Array, kind: str, activation: str, names: tuple[str, ...] = (), shape: object = "its own"
) -> ShownOutput:
    """The answer of a network whose only output is `values`."""
    stated = {"name": "scores", "index": 0, "kind": kind, "activation": activation}
    tensor = Tensor(name="scores", dtype=values.dtype.name, shape=values.shape)
    output = OutputRecord.model_validate(stated)
    return ShownOutput(
        output=output,
        outputs=1,
        tensor=tensor if shape == "its own" else tensor.model_copy(update={"shape": shape}),
        values=len(judged_values([values], output)),
        names=names,
    )


def said(values: Array, answer: ShownOutput, capsys: pytest.CaptureFixture[str]) -> str:
    asked = SimpleNamespace(argv=["classify.py", "image.png"])
    names: dict[str, Any] = {"np": np, "sys": asked, "outputs": [values]}
    exec("\n".join([*answer.constants, *answer.lines]), names)
    return capsys.readouterr().out


Capture = pytest.CaptureFixture[str]
LOGITS = np.array([[0.0, np.log(3.0)]], dtype=np.float32)


@pytest.mark.parametrize(
    "values",
    [
        LOGITS,
        LOGITS.reshape(1, 2, 1, 1),
        LOGITS.astype(np.float64),
        np.concatenate([LOGITS, LOGITS[:, ::-1]]),
    ],
    ids=["flat", "with axes of 1", "float64", "a batch"],
)
@pytest.mark.parametrize("shape", ["its own", None])
def test_the_scores_are_those_of_the_first_item(values: Array, shape: object, capsys: Capture) -> None:
    classes = answer(values, "classes", "logits", ("cat", "dog"), shape)

    assert said(values, classes, capsys) == "dog (0.750)\n"


def test_half_precision_is_computed_in_float(capsys: Capture) -> None:
    values = np.array([[0, 11]], dtype=np.float16)

    assert said(values, answer(values, "classes", "logits"), capsys) == "class 1 (1.000)\n"
    assert "astype(np.float32)" in answer(values, "classes", "logits").lines[0]


@pytest.mark.parametrize("shape", [(1, 1), (1,), ()], ids=str)
def test_one_score_is_for_two_classes(shape: tuple[int, ...], capsys: Capture) -> None:
    logit = np.full(shape, -np.log(3.0), dtype=np.float32)
    probability = np.full(shape, 0.25, dtype=np.float32)

    for values, activation in ((logit, "logits"), (probability, "sigmoid")):
        one = answer(values, "classes", activation, ("no", "yes"))
        assert said(values, one, capsys) == "no (0.750)\n"


def test_extreme_scores_give_no_warning(capsys: Capture) -> None:
    values = np.array([[-1e4]], dtype=np.float32)

    with np.errstate(all="raise"):
        assert said(values, answer(values, "classes", "logits"), capsys) == "class 0 (1.000)\n"


def test_labels_have_a_probability_each(capsys: Capture) -> None:
    logits = np.array([[0.0, np.log(3.0)]], dtype=np.float32)
    chances = np.array([[0.5, 0.75]], dtype=np.float32)

    for values, activation in ((logits, "logits"), (chances, "sigmoid")):
        labels = answer(values, "labels", activation, ("wet", "warm"))
        assert said(values, labels, capsys) == "wet 0.500\nwarm 0.750\n"
    assert said(chances, answer(chances, "labels", "sigmoid"), capsys) == "label 0 0.500\nlabel 1 0.750\n"


def test_integers_are_said_as_what_they_stand_for(capsys: Capture) -> None:
    integers = np.array([[-128, 64]], dtype=np.int8)
    how = Quantisation(scale=1 / 256, zero_point=-128)

    for kind, words in (("classes", "dog (0.750)\n"), ("values", "from 0 to 0.75, mean 0.375\n")):
        made = answer(integers, kind, "softmax" if kind == "classes" else "none")
        output = made.output.model_copy(update={"quantisation": how})
        names = ("cat", "dog") if kind == "classes" else ()
        assert said(integers, replace(made, output=output, names=names), capsys).endswith(words)


def test_no_values_have_no_summary(capsys: Capture) -> None:
    values = np.zeros((0, 6), dtype=np.float32)
    assert said(values, answer(values, "values", "none"), capsys) == "float32 [0, 6]\n"


def test_many_names_take_several_lines() -> None:
    values = np.zeros((1, 400), dtype=np.float32)
    names = tuple(f"it's number {index}" for index in range(400))

    (constant,) = answer(values, "classes", "softmax", names).constants

    assert max(map(len, constant.splitlines())) <= 110
    found: dict[str, Any] = {}
    exec(constant, found)
    assert tuple(found["CLASSES"]) == names


def test_names_that_do_not_fit_the_scores_are_refused() -> None:
    with pytest.raises(InputError, match="names 3 classes, and its output 'scores' has 2 scores"):
        answer(LOGITS, "classes", "logits", ("a", "b", "c"))
