"""Samples are divided in three sets, whatever their classes, splits and patients are."""

import numpy as np
import pytest

from bench.bundle.evaluation_pack import Labels
from export.data.listing import Listing, SampleLimits
from export.data.sets import Sets, divided, refuse_too_few
from export.data.stratified import strata_of


def listing(
    labels: Labels | None, count: int, splits: tuple[str, ...] = (), patients: tuple[str | None, ...] = ()
) -> Listing:
    return Listing(
        name="films",
        where="films.csv",
        splits=splits or ("",) * count,
        patients=patients or (None,) * count,
        labels=labels,
    )


def sizes(sets: Sets) -> list[int]:
    return [len(sets.calibration), len(sets.held_out), len(sets.evaluation)]


@pytest.mark.parametrize(
    "counts", [(6, 6, 8), (5, 7), (6, 7), (12,), (1,) * 12, (5, 5, 6), (2, 30), (6,) * 20]
)
def test_twelve_samples_and_more_are_enough_for_any_classes(counts: tuple[int, ...]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    films = listing(labels, len(labels))
    sets = divided(films, SampleLimits())
    refuse_too_few(films, sets, SampleLimits())
    assert sum(sizes(sets)) == len(labels)
    assert len(np.unique(sets.every)) == len(labels)


def test_a_class_with_one_sample_each_is_divided_too() -> None:
    sets = divided(listing(np.arange(1000), 1000), SampleLimits())
    assert sizes(sets) == [200, 400, 400]


def test_large_data_fill_the_limits_and_evaluation_gets_the_rest() -> None:
    labels = np.arange(6000) % 3
    assert sizes(divided(listing(labels, 6000), SampleLimits())) == [256, 512, 512]
    assert sizes(divided(listing(labels, 6000), SampleLimits(evaluation=5000))) == [256, 512, 5000]


def test_a_rare_label_of_several_is_in_each_set() -> None:
    labels = np.zeros((300, 3), dtype=np.int64)
    labels[:, 0] = 1
    labels[::2, 1] = 1
    labels[:15, 2] = 1
    sets = divided(listing(labels, 300), SampleLimits())
    for chosen in (sets.calibration, sets.held_out, sets.evaluation):
        assert labels[chosen, 2].sum() >= 3


def test_the_stratum_is_the_rarest_label_or_none() -> None:
    labels = np.array([[1, 0], [1, 1], [0, 0], [1, 0]])
    first, both, none, again = strata_of(labels, 4).tolist()
    assert first == again
    assert len({first, both, none}) == 3
    assert strata_of(None, 3).tolist() == [0, 0, 0]
    assert strata_of(np.array([7, 3, 7]), 3).tolist() == [1, 0, 1]


@pytest.mark.parametrize("present", [("train",), ("val",), ("test",), ("val", "test"), ("train", "test")])
def test_missing_splits_are_split_off(present: tuple[str, ...]) -> None:
    splits = tuple(name for name in present for _ in range(120))
    sets = divided(listing(np.arange(len(splits)) % 2, len(splits), splits), SampleLimits())
    assert min(sizes(sets)) >= 40
    assert len(np.unique(sets.every)) == len(sets.every)
    assert {splits[index] for index in sets.evaluation} == {present[-1]}
    assert sets.notes


def test_unlabelled_samples_have_no_accuracy_that_is_too_good() -> None:
    (note,) = divided(listing(None, 60), SampleLimits()).notes
    assert "at random" in note
    assert "too good" not in note


def test_samples_of_one_patient_are_never_divided() -> None:
    patients = tuple(f"p{index // 7}" for index in range(210))
    sets = divided(listing(np.arange(210) // 7 % 2, 210, (), patients), SampleLimits())
    groups = [{patients[index] for index in chosen} for chosen in (sets.calibration, sets.held_out)]
    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & {patients[index] for index in sets.evaluation}
