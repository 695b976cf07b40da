import hashlib
import random

import numpy as np
import pytest

from models.synthetic.opacities import FINDINGS
from models.synthetic.radiograph import (
    CHECKPOINT_SEEDS,
    CLASSES,
    DATASET_SEEDS,
    FILMS_PER_DATASET,
    Charted,
    dataset_seeds,
    render,
    render_charted,
    render_many,
)

SIDE = 64


@pytest.fixture(scope="module")
def films() -> list[Charted]:
    return [render_charted(seed, SIDE) for seed in dataset_seeds(7, 240)]


def test_one_seed_is_always_the_same_film() -> None:
    first = render(11, SIDE)
    np.random.seed(1)
    random.seed(1)
    render(12, 96)
    again = render(11, SIDE)

    assert hashlib.sha256(first.pixels.tobytes()).digest() == hashlib.sha256(again.pixels.tobytes()).digest()
    assert (first.label, first.findings) == (again.label, again.findings)


def test_another_seed_is_another_film() -> None:
    digests = {hashlib.sha256(render(seed, SIDE).pixels.tobytes()).digest() for seed in range(30)}

    assert len(digests) == 30


@pytest.mark.parametrize("size", [28, 96, 224, 257])
def test_a_film_has_the_requested_size(size: int) -> None:
    film = render(3, size)

    assert film.pixels.shape == (size, size)
    assert film.pixels.dtype == np.uint8


def test_a_film_has_224_pixels_by_default() -> None:
    assert render(3).pixels.shape == (224, 224)


@pytest.mark.parametrize("seed", range(8))
def test_the_same_patient_is_seen_at_every_size(seed: int) -> None:
    small, large = render(seed, 56), render(seed, 224)
    shrunk = large.pixels.reshape(56, 4, 56, 4).mean(axis=(1, 3))

    assert small.findings == large.findings
    assert np.corrcoef(small.pixels.ravel(), shrunk.ravel())[0, 1] > 0.97


def test_a_film_is_positive_if_and_only_if_it_shows_findings(films: list[Charted]) -> None:
    assert all(charted.film.label == int(len(charted.film.findings) > 0) for charted in films)
    assert all((charted.opacities is None) == (charted.film.label == 0) for charted in films)


def test_both_classes_are_equally_frequent(films: list[Charted]) -> None:
    positives = sum(charted.film.label for charted in films)

    assert len(CLASSES) == 2
    assert 0.4 < positives / len(films) < 0.6


def test_every_finding_occurs_alone_and_beside_another(films: list[Charted]) -> None:
    shown = {charted.film.findings for charted in films}

    assert {(name,) for name in FINDINGS} <= shown
    assert any(len(findings) > 1 for findings in shown)


def test_a_finding_is_an_opacity_of_the_lung(films: list[Charted]) -> None:
    for charted in films:
        if charted.opacities is None:
            continue
        named = [name in charted.film.findings for name in FINDINGS]
        drawn = [bool(field.max() > 0) for field in charted.opacities]

        assert drawn == named
        assert 0 <= charted.opacities.min() <= charted.opacities.max() <= 1
        assert 0 <= charted.air.min() <= charted.air.max() <= 1


def test_lungs_are_dark_and_findings_brighter_than_lung(
    films: list[Charted],
) -> None:
    normal = [charted for charted in films if charted.opacities is None]
    lung = np.mean([charted.film.pixels[charted.air > 0.6].mean() for charted in normal])
    middle = np.mean([charted.film.pixels[40:56, 28:36].mean() for charted in normal])
    opaque = [
        charted.film.pixels[(charted.opacities.max(axis=0) > 0.5) & (charted.air > 0.6)]
        for charted in films
        if charted.opacities is not None
    ]

    assert lung + 40 < middle
    assert lung + 15 < np.concatenate(opaque).mean()


def test_brightness_alone_does_not_tell_the_classes_apart(films: list[Charted]) -> None:
    means = np.array([charted.film.pixels.mean() for charted in films])
    labels = np.array([charted.film.label for charted in films])
    best = max(((means > level) == labels).mean() for level in np.percentile(means, range(1, 100)))

    assert best < 0.75


def test_many_films_are_the_single_films_in_order() -> None:
    calls = []

    images, labels = render_many([5, 2, 9], SIDE, lambda: calls.append(1))

    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert len(calls) == 3
    for image, label, seed in zip(images, labels, [5, 2, 9], strict=True):
        film = render(seed, SIDE)
        assert np.array_equal(image, film.pixels)
        assert label == film.label


def test_no_films_are_an_empty_array() -> None:
    images, labels = render_many([], SIDE)

    assert images.shape == (0, SIDE, SIDE)
    assert labels.shape == (0,)


def test_no_data_set_has_a_film_of_the_checkpoint() -> None:
    assert max(DATASET_SEEDS.start, CHECKPOINT_SEEDS.start) >= min(DATASET_SEEDS.stop, CHECKPOINT_SEEDS.stop)


def test_data_sets_share_no_film_and_stay_in_their_range() -> None:
    first, second = dataset_seeds(0, FILMS_PER_DATASET), dataset_seeds(1, 10)

    assert first[-1] < second[0]
    assert second[-1] in DATASET_SEEDS


@pytest.mark.parametrize(("dataset", "count"), [(-1, 10), (2**40, 10), (0, -1), (0, FILMS_PER_DATASET + 1)])
def test_a_data_set_out_of_range_is_refused(dataset: int, count: int) -> None:
    with pytest.raises(ValueError, match="synthetic data set"):
        dataset_seeds(dataset, count)
