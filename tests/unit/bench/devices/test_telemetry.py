"""What a device should tell of itself and does not is named with a remedy."""

from typing import Literal

import pytest
from making.tiny_report import CALM

from bench.devices.telemetry import missing_telemetry
from device_profiles.facts import Readings

Throttling = Literal["vcgencmd", "cooling-devices", "x86-throttle-counts"]


def readings(throttling: Throttling | None = None, everything: bool = True) -> Readings:
    return Readings(
        clock="cpufreq" if everything else None,
        temperature="thermal-zones" if everything else None,
        throttling=throttling,
        power=None,
        source="values of a test",
    )


def test_a_device_that_tells_nothing_of_itself_is_asked_for_nothing() -> None:
    silent = CALM.model_copy(update={"temperatures": {}})

    assert missing_telemetry(readings(everything=False), silent, clock_khz=None) == []


def test_a_clock_and_a_temperature_that_cannot_be_read_are_named() -> None:
    silent = CALM.model_copy(update={"temperatures": {}})

    clock, temperature = missing_telemetry(readings(), silent, clock_khz=None)

    assert "the clock cannot be read" in clock
    assert "no temperature can be read" in temperature


@pytest.mark.parametrize(
    ("throttling", "counts", "bits"),
    [
        ("vcgencmd", {}, 0),
        ("cooling-devices", {"cooling by fan": 1}, None),
        ("x86-throttle-counts", {"core_throttle": 1}, None),
    ],
)
def test_throttling_is_read_in_each_devices_way(
    throttling: Throttling, counts: dict[str, int], bits: int | None
) -> None:
    telling = CALM.model_copy(update={"throttle_counts": counts, "throttled_bits": bits})
    silent = CALM.model_copy(update={"throttle_counts": {}, "throttled_bits": None})

    assert missing_telemetry(readings(throttling), telling, clock_khz=1) == []
    (sentence,) = missing_telemetry(readings(throttling), silent, clock_khz=1)
    assert f"cannot be read ({throttling})" in sentence
