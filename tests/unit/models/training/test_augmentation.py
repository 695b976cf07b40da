"""Rotation and flip, and the batches an epoch is made of."""

import numpy as np
import pytest
import torch
from making.films import films
from making.seeded import generator
from torch import Tensor, nn

from models.training.augmentation import Augmentation
from models.training.batches import LiveImages, count_batches, shuffled


def cross() -> Tensor:
    """One bright pixel right of the middle, [1, 1, 33, 33]."""
    planes = torch.zeros(1, 1, 33, 33)
    planes[0, 0, 15:18, 25:28] = 1
    return planes


def brightest(planes: Tensor) -> tuple[int, int]:
    return divmod(int(planes.flatten().argmax()), planes.shape[-1])


def test_without_rotation_and_flip_an_image_is_unchanged() -> None:
    planes = torch.rand(3, 1, 32, 32)

    torch.testing.assert_close(Augmentation(0, flip=False).apply(planes, generator()), planes)


def test_a_flip_mirrors_left_and_right_in_about_half_of_the_images() -> None:
    planes = torch.rand(400, 1, 8, 8)

    turned = Augmentation(0, flip=True).apply(planes, generator())

    mirrored = [
        torch.allclose(after, before.flip(2), atol=1e-5) for before, after in zip(planes, turned, strict=True)
    ]
    same = [torch.allclose(after, before, atol=1e-5) for before, after in zip(planes, turned, strict=True)]
    assert all(is_mirrored != is_same for is_mirrored, is_same in zip(mirrored, same, strict=True))
    assert 150 < sum(mirrored) < 250


def test_no_flip_never_mirrors() -> None:
    planes = cross().expand(50, 1, 33, 33)

    turned = Augmentation(10, flip=False).apply(planes, generator())

    assert all(brightest(image)[1] > 20 for image in turned)


def test_a_rotation_is_at_most_its_degrees_in_both_directions() -> None:
    planes = cross().expand(200, 1, 33, 33)

    turned = Augmentation(30, flip=False).apply(planes, generator())

    rows = [brightest(image)[0] - 16 for image in turned]
    reach = 10 * np.sin(np.radians(30))
    assert min(rows) < -2
    assert max(rows) > 2
    assert max(map(abs, rows)) <= reach + 1.5


def test_a_rotation_keeps_the_shape_and_fills_with_black() -> None:
    turned = Augmentation(45, flip=False).apply(torch.ones(20, 1, 32, 32), generator())

    assert turned[:, 0, 16, 16].min() > 0.99
    assert turned[:, 0, 0, 0].min() == 0


@pytest.mark.parametrize(("count", "size"), [(10, 4), (9, 4), (8, 4), (1, 4), (5, 5), (6, 5)])
def test_an_epoch_has_every_image_once_and_no_batch_of_one(count: int, size: int) -> None:
    batches = shuffled(count, size, generator())

    seen = torch.cat(batches).tolist()
    assert len(seen) == len(set(seen)) == (count - 1 if count % size == 1 and count > 1 else count)
    assert len(batches) == count_batches(count, size)


def test_without_a_cache_every_epoch_augments_again() -> None:
    live = LiveImages(films(8, 32, 0), Augmentation(10, flip=True), 8, nn.Identity())
    random = generator()

    first, second = (next(iter(live.epoch(random))) for _ in range(2))

    assert first[0].shape == (8, 3, 32, 32)
    assert sorted(first[1].tolist()) == [0] * 4 + [1] * 4
    assert not any(image.equal(other) for image in first[0] for other in second[0])
