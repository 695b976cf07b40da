"""Steady, drifting, settling: what a series of times is called."""

import pytest

from bench.statistics.steadiness import drift_of, is_steady, relative_range_of, settle


def test_a_level_is_steady_when_three_windows_agree() -> None:
    assert is_steady([100] * 15)
    assert not is_steady([100] * 14)
    assert is_steady([900, 500, 300, 200] + [100, 101, 103, 100, 102] * 3)


def test_a_level_that_still_falls_is_not_steady() -> None:
    assert not is_steady([120] * 5 + [110] * 5 + [100] * 5)


def test_one_slow_sample_does_not_make_a_level_unsteady() -> None:
    assert is_steady([100] * 7 + [900] + [100] * 7)


def test_spread_is_what_eight_tenths_of_the_samples_reach_over() -> None:
    assert relative_range_of([100] * 90 + [1000] * 5) == 0
    assert relative_range_of([90, 95, 100, 105, 110] * 20) == pytest.approx(0.2)


def test_drift_compares_the_last_third_with_the_first() -> None:
    assert drift_of([1.0, 1.0, 1.05, 1.1, 1.1, 1.1]) == pytest.approx(0.1)
    assert drift_of([1.0, 2.0]) == 0


def test_a_series_settles_at_its_last_level_from_when_it_stays_there() -> None:
    found = settle([10.0, 11.0, 13.0, 14.0, 14.1, 13.9, 14.0, 14.0])

    assert found.level == pytest.approx(14.0)
    assert found.since == 3


def test_a_series_that_keeps_growing_does_not_settle() -> None:
    assert settle([float(value) for value in range(10, 50)]).since is None
