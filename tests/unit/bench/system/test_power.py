"""Energy, from recorded files of each kind of meter."""

import itertools
from pathlib import Path

import pytest
from making.recorded_files import write_files

from bench.harness.energy_pass import Clock, GapError, joules_while
from bench.system.power import EnergyCounter, NoMeter, PowerSensor, find_meter

RAPL = "sys/class/powercap/intel-rapl:0"
HWMON = "sys/class/hwmon/hwmon3"
# As a Raspberry Pi 5 prints it, shortened to three rails; EXT5V has volts only.
PMIC = """   3V7_WL_SW_A current(0)=0.09369370A
       VDD_CORE_A current(7)=1.50000000A
      3V7_WL_SW_V volt(8)=3.70000000V
       VDD_CORE_V volt(15)=0.80000000V
        EXT5V_V volt(24)=5.14000000V
"""


def nothing() -> None:
    return None


def test_rapl_is_the_package_counter_and_may_wrap(tmp_path: Path) -> None:
    files = {
        f"{RAPL}/name": "package-0\n",
        f"{RAPL}/energy_uj": "990000\n",
        f"{RAPL}/max_energy_range_uj": "1000000\n",
    }

    meter = find_meter(write_files(tmp_path, files), nothing)

    assert isinstance(meter, EnergyCounter)
    assert "package-0" in meter.domain
    assert meter.read_uj() == 990_000
    assert meter.joules_between(100_000, 350_000) == 0.25
    assert meter.joules_between(990_000, 10_000) == pytest.approx(0.02)


def test_a_counter_that_only_root_may_read_is_said_with_its_remedy(tmp_path: Path) -> None:
    root = write_files(tmp_path, {f"{RAPL}/name": "package-0\n", f"{RAPL}/energy_uj": "not for you"})

    meter = find_meter(root, nothing)

    assert isinstance(meter, NoMeter)
    assert meter.reason.endswith(f"sudo chmod a+r /{RAPL}/energy_uj")  # as it is called on that machine


def test_a_jetsons_sensor_gives_the_whole_board_where_there_is_such_a_rail(tmp_path: Path) -> None:
    files = {f"{HWMON}/name": "ina3221\n"}
    for channel, (label, millivolts, milliamperes) in enumerate(
        [("VDD_IN", 5000, 1200), ("VDD_CPU_GPU_CV", 5000, 400), ("VDD_SOC", 5000, 300)], start=1
    ):
        files |= {
            f"{HWMON}/in{channel}_label": label,
            f"{HWMON}/in{channel}_input": str(millivolts),
            f"{HWMON}/curr{channel}_input": str(milliamperes),
        }

    meter = find_meter(write_files(tmp_path, files), nothing)

    assert isinstance(meter, PowerSensor)
    assert meter.domain == "VDD_IN: the whole board"
    assert meter.read_watts() == pytest.approx(6.0)


def test_a_raspberry_pi_5s_power_chip_gives_the_sum_of_its_rails(tmp_path: Path) -> None:
    meter = find_meter(tmp_path, lambda: PMIC)

    assert isinstance(meter, PowerSensor)
    assert meter.read_watts() == pytest.approx(0.09369370 * 3.7 + 1.5 * 0.8)


def test_a_machine_without_a_meter_says_so(tmp_path: Path) -> None:
    meter = find_meter(tmp_path, nothing)

    assert isinstance(meter, NoMeter)
    assert "no RAPL counter" in meter.reason


def ticking() -> Clock:
    ticks = itertools.count(step=0.5)
    return Clock(now=lambda: next(ticks), sleep=lambda _: None)


def test_a_sensors_readings_stand_for_the_time_since_the_last() -> None:
    watts = iter([2.0, 4.0])
    meter = PowerSensor("m", "d", lambda: next(watts))
    going = iter([True, True, False])

    joules, seconds = joules_while(meter, lambda: next(going), ticking())

    assert joules == 2.0 * 0.5 + 4.0 * 0.5
    assert seconds == 1.0


def test_a_counter_is_read_before_and_after() -> None:
    readings = iter([1_000_000, 3_000_000])
    meter = EnergyCounter("m", "d", lambda: next(readings), range_uj=10_000_000)
    going = iter([True, False])

    joules, seconds = joules_while(meter, lambda: next(going), ticking())

    assert joules == 2.0
    assert seconds == 1.0


@pytest.mark.parametrize(
    "meter",
    [EnergyCounter("m", "d", lambda: 1, range_uj=10), PowerSensor("m", "d", lambda: 1.0)],
    ids=["a counter", "a sensor"],
)
def test_a_meter_that_is_not_read_for_some_time_gives_no_energy(meter: EnergyCounter | PowerSensor) -> None:
    ticks = itertools.count(step=30.0)  # as after Ctrl-Z and fg

    with pytest.raises(GapError, match="30") as gap:
        joules_while(meter, lambda: True, Clock(now=lambda: next(ticks), sleep=lambda _: None))

    assert gap.value.seconds == 30.0
