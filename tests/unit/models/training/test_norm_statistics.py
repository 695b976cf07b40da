"""How many images the statistics of batch norms are measured on."""

import pytest

from models.training.norm_statistics import images_to_measure


@pytest.mark.parametrize(
    ("training_images", "measured"), [(20, 128), (512, 128), (1000, 250), (2048, 512), (100_000, 512)]
)
def test_a_small_set_is_measured_on_a_part_so_that_it_costs_little(
    training_images: int, measured: int
) -> None:
    assert images_to_measure(training_images) == measured
