"""Splitting by class and patient, and the patient in a file's name."""

from pathlib import PurePath

import numpy as np
import pytest

from models.sources.patients import patient_of
from models.sources.splitting import sample_stratified, split_off


def test_each_class_is_held_out_in_its_share() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 10])

    remaining, held_out = split_off(labels, [str(index) for index in range(160)], 0.2, seed=0)

    assert np.bincount(labels[held_out]).tolist() == [20, 10, 2]
    assert sorted([*remaining, *held_out]) == list(range(160))


def test_no_group_is_on_both_sides_and_the_shares_are_right() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [300, 700])
    groups = [f"{label}-{random.integers(150)}" for label in labels]

    remaining, held_out = split_off(labels, groups, 0.2, seed=1)

    assert not {groups[index] for index in remaining} & {groups[index] for index in held_out}
    assert np.bincount(labels[held_out]) == pytest.approx([60, 140], abs=3)


def test_groups_that_span_classes_stay_whole() -> None:
    labels = np.tile([0, 1], 50)
    groups = [str(index // 4) for index in range(100)]

    remaining, held_out = split_off(labels, groups, 0.2, seed=3)

    assert not {groups[index] for index in remaining} & {groups[index] for index in held_out}
    assert len(held_out) == 20


def test_large_groups_are_not_held_out_before_small_ones() -> None:
    labels = np.zeros(200, np.int64)
    groups = [f"large{index // 10}" if index < 100 else str(index) for index in range(200)]

    large = [
        sum(groups[index].startswith("large") for index in split_off(labels, groups, 0.2, seed)[1])
        for seed in range(30)
    ]

    assert 10 <= np.mean(large) <= 30


def test_the_split_depends_on_the_seed_alone() -> None:
    labels = np.tile([0, 1], 50)
    alone = [str(index) for index in range(100)]

    first, again, other = (split_off(labels, alone, 0.2, seed)[1].tolist() for seed in (5, 5, 6))

    assert first == again != other


def test_a_class_of_two_images_has_one_on_each_side() -> None:
    labels = np.array([0] * 20 + [1] * 2)

    remaining, held_out = split_off(labels, [str(index) for index in range(22)], 0.2, seed=0)

    assert np.bincount(labels[remaining]).tolist() == [16, 1]
    assert np.bincount(labels[held_out]).tolist() == [4, 1]


def test_a_sample_keeps_the_classes_shares_and_never_exceeds_its_size() -> None:
    labels = np.repeat([0, 1], [900, 300])

    chosen = sample_stratified(labels, 512, seed=0)

    assert len(chosen) == len(set(chosen.tolist())) == 512
    assert np.bincount(labels[chosen]).tolist() == [384, 128]


def test_a_sample_of_more_images_than_there_are_is_all_of_them() -> None:
    assert sample_stratified(np.zeros(7, np.int64), 512, seed=0).tolist() == list(range(7))


@pytest.mark.parametrize("each", [1, 2, 3])
def test_a_sample_of_more_classes_than_it_has_room_for_is_full_and_of_classes_all_over(each: int) -> None:
    labels = np.repeat(np.arange(1000), each)

    chosen = sample_stratified(labels, 512, seed=0)

    assert len(np.unique(labels[chosen])) == len(chosen) == 512
    assert 200 < np.sum(labels[chosen] < 500) < 312
    assert np.all(np.diff(chosen) > 0)


def test_a_class_of_one_image_is_in_a_sample_with_room_for_it() -> None:
    labels = np.repeat([0, 1, 2], [900, 300, 1])

    counts = np.bincount(labels[sample_stratified(labels, 512, seed=0)])

    assert counts.sum() == 512
    assert counts[2] == 1
    assert counts[0] == pytest.approx(384, abs=2)


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person1_bacteria_1.jpeg", "person1"),
        ("person1_virus_12.jpeg", "person1"),
        ("NORMAL2-IM-0373-0001.jpeg", "NORMAL2-IM-0373"),
        ("NORMAL2-IM-0373-0001-0002.jpeg", "NORMAL2-IM-0373"),
        ("IM-0115-0001.jpeg", "IM-0115"),
        ("00000013_027.png", "00000013"),
        ("patient00021/study1/view1_frontal.jpg", "patient00021"),
        ("film17.png", None),
        ("12345678.png", None),
    ],
)
def test_the_patient_is_read_from_names_of_known_collections(name: str, patient: str | None) -> None:
    assert patient_of(PurePath(name)) == patient
