"""A run folder has a positive class, which the export takes, or says that nothing states it."""

from pathlib import Path

import pytest

from export.data.run_folder import data_of_run, positive_of_run
from models.errors import InputError
from models.records import RunRecord
from models.run_folder import read_run


def record_of(run_folder: Path, positive: int | None, *classes: str) -> RunRecord:
    return read_run(run_folder).record.model_copy(update={"classes": classes, "positive_class": positive})


def test_the_positive_class_of_the_run_is_the_one_of_the_export(run_folder: Path) -> None:
    positive = positive_of_run(record_of(run_folder, 0, "malignant", "benign"), None)

    assert positive is not None
    assert (positive.label, positive.sentence) == (0, "'malignant' is the positive class, as in the run.")


def test_of_a_run_that_does_not_state_it_label_1_counts_and_is_said(run_folder: Path) -> None:
    positive = positive_of_run(record_of(run_folder, None, "malignant", "benign"), None)

    assert positive is not None
    assert positive.label == 1
    assert "label 1, 'benign', counts as positive; if it is 'malignant', state it" in positive.sentence


def test_a_stated_class_comes_before_that_of_the_run(run_folder: Path) -> None:
    record = record_of(run_folder, 0, "malignant", "benign")
    positive = positive_of_run(record, "benign")

    assert positive is not None
    assert positive.label == 1
    with pytest.raises(InputError, match="the run has no such class"):
        positive_of_run(record, "ill")


def test_a_run_of_many_classes_has_none(run_folder: Path) -> None:
    assert positive_of_run(record_of(run_folder, None, "a", "b", "c"), None) is None


def test_the_card_is_given_the_sentence(run_folder: Path) -> None:
    data = data_of_run(read_run(run_folder), 8)

    assert data.positive is not None
    assert data.positive.sentence in data.notes
