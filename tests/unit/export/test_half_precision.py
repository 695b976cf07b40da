"""Which weights half precision can hold, and what is said of the others."""

import numpy as np
import pytest

from export.half_precision import LARGEST_HALF, Floats, Halving, NothingInHalfError, Unfit, halved


def weights() -> Floats:
    return np.random.default_rng(0).normal(0, 0.1, (8, 16, 3, 3)).astype(np.float32)


def test_ordinary_weights_are_stored_in_half() -> None:
    half = halved(weights())

    assert not isinstance(half, Unfit)
    np.testing.assert_array_equal(half, weights().astype(np.float16))


@pytest.mark.parametrize("largest", [LARGEST_HALF + 16, 1e8, -3e38])
def test_weights_beyond_the_largest_number_do_not_fit(largest: float) -> None:
    weight = weights()
    weight[3, 2, 1, 1] = largest

    assert halved(weight) is Unfit.LARGE_WEIGHTS


@pytest.mark.parametrize("factor", [1e-8, 1e-5, 1e-30, 1e-40])
@pytest.mark.parametrize("part", [np.s_[:], np.s_[5], np.s_[:, 7]], ids=["all", "an output", "an input"])
def test_a_channel_that_half_rounds_away_does_not_fit(factor: float, part: slice) -> None:
    weight = weights()
    weight[part] *= np.float32(factor)

    assert halved(weight) is Unfit.SMALL_WEIGHTS


def test_a_few_small_weights_among_large_ones_fit() -> None:
    weight = weights()
    weight[:, :, 0, 0] = 1e-12

    assert not isinstance(halved(weight), Unfit)


def test_dead_channels_fit() -> None:
    weight = weights()
    weight[2] = 0
    weight[:, 4] = 0

    assert not isinstance(halved(weight), Unfit)
    assert not isinstance(halved(np.zeros((8, 8), np.float32)), Unfit)


def test_a_mask_of_infinities_stays_what_it_is() -> None:
    mask = np.triu(np.full((64, 64), -np.inf, np.float32), 1)

    half = halved(mask)

    assert not isinstance(half, Unfit)
    np.testing.assert_array_equal(half.astype(np.float32), mask)


def test_a_mask_of_the_largest_float_does_not_become_infinite() -> None:
    mask = np.triu(np.full((64, 64), np.finfo(np.float32).min), 1).astype(np.float32)

    assert halved(mask) is Unfit.LARGE_WEIGHTS


def test_layers_in_fp32_are_said_with_the_reason() -> None:
    halving = Halving()
    halving.half("features.1.weight", weights())
    halving.half("features.2.weight", weights() * np.float32(1e8))
    halving.half("features.3.weight", weights() * np.float32(1e-8))

    assert halving.in_fp32 == ("features.2", "features.3")
    assert halving.sentence == (
        "2 layers stay in fp32: weights beyond 65504, which half precision cannot hold, in features.2, and "
        "weights below 6.1e-05, which lose digits in half precision, in features.3"
    )


def test_an_artifact_of_which_nothing_fits_is_refused() -> None:
    halving = Halving()
    halving.half("head.weight", weights() * np.float32(1e8))

    with pytest.raises(NothingInHalfError) as raised:
        _ = halving.in_fp32

    assert str(raised.value) == (
        "no layer is left to be stored in half precision (weights beyond 65504, which half precision cannot "
        "hold, in head); use the fp32 artifact"
    )
