"""A run folder has a positive class, which the export takes, or says that nothing states it."""

from dataclasses import replace
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


def test_the_evaluation_images_of_a_run_are_known_by_all_its_test_images(run_folder: Path) -> None:
    def sources(every: str | None, images: int) -> str | None:
        run = read_run(run_folder)
        data = run.record.data.model_copy(update={"test_sources_sha256": every})
        record = run.record.model_copy(update={"data": data})
        return data_of_run(replace(run, record=record), images).evaluation.sources_sha256

    assert sources("1" * 64, 8) == sources("1" * 64, 8) is not None
    assert len({sources("1" * 64, 8), sources("2" * 64, 8), sources("1" * 64, 9)}) == 3
    assert sources(None, 8) is None


def test_the_card_is_given_the_sentence(run_folder: Path) -> None:
    data = data_of_run(read_run(run_folder), 8)

    assert data.positive is not None
    assert data.positive.sentence in data.notes
