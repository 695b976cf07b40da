"""What a machine says of itself, read from recorded files; and of this one, that it can be read at all."""

from pathlib import Path

import pytest
from making.recorded_files import write_files

from bench.system.cpu_time import CpuTime, read_clock_khz, read_cpu_time
from bench.system.page_cache import cached_share
from bench.system.state import read_state
from bench.system.thermal import (
    read_temperatures,
    read_throttle_counts,
    read_throttled_bits,
)

PROC_STAT = """cpu  100 10 50 1000 5 1 2 30 0 0
cpu0 60 5 30 500 2 1 1 20 0 0
cpu1 40 5 20 500 3 0 1 10 0 0
intr 1 2 3
"""


def test_cpu_time_is_that_of_the_cpus_asked_for(tmp_path: Path) -> None:
    root = write_files(tmp_path, {"proc/stat": PROC_STAT})

    assert read_cpu_time((1,), root) == CpuTime(660_000_000, 100_000_000, 5_790_000_000)
    assert read_cpu_time((0, 1), root) == read_cpu_time(None, root)
    assert read_cpu_time((7,), root) is None
    assert read_cpu_time(None, tmp_path / "nowhere") is None


def test_the_slowest_clock_counts(tmp_path: Path) -> None:
    cpus = "sys/devices/system/cpu"
    root = write_files(
        tmp_path,
        {
            f"{cpus}/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
            f"{cpus}/cpu1/cpufreq/scaling_cur_freq": "600000",
        },
    )

    assert read_clock_khz((0, 1), root) == 600_000
    assert read_clock_khz((3,), root) is None


def test_temperatures_and_throttle_counts_of_a_laptop(tmp_path: Path) -> None:
    thermal, cpus = "sys/class/thermal", "sys/devices/system/cpu"
    root = write_files(
        tmp_path,
        {
            f"{thermal}/thermal_zone0/type": "x86_pkg_temp\n",
            f"{thermal}/thermal_zone0/temp": "71500\n",
            f"{thermal}/thermal_zone1/type": "acpitz\n",
            f"{thermal}/thermal_zone1/temp": "not a number\n",
            f"{thermal}/cooling_device0/type": "Processor\n",
            f"{thermal}/cooling_device0/stats/total_trans": "4\n",
            f"{cpus}/cpu0/thermal_throttle/core_throttle_count": "12\n",
            f"{cpus}/cpu0/thermal_throttle/package_throttle_count": "7\n",
        },
    )

    assert read_temperatures(root) == {"x86_pkg_temp (thermal_zone0)": 71.5}
    assert read_throttle_counts(root) == {
        "cpu0 core throttle": 12,
        "cpu0 package throttle": 7,
        "cooling by Processor": 4,
    }


def test_a_machine_without_vcgencmd_has_no_throttled_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert read_throttled_bits() is None


def test_a_file_just_written_lies_in_the_page_cache(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    (tmp_path / "empty").write_bytes(b"")

    assert cached_share([tmp_path / "a", tmp_path / "empty"]) == 1.0
    assert cached_share([tmp_path / "empty", tmp_path / "absent"]) is None


def test_this_machine_can_be_read() -> None:
    state = read_state(watch_s=0.01)

    assert 0 <= state.busy_share <= 1
    assert state.available_bytes > 0
