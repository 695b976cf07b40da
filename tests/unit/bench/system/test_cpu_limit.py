"""The limit of a container on CPU time, found in cgroup v1, v2 and both, below any namespace."""

from pathlib import Path

import pytest
from making.recorded_files import write_files

from bench.system.cpu_limit import Throttling, read_quota, read_throttling

_V2 = "30 23 0:26 {top} /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
_V1 = "31 23 0:27 {top} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"


def v1(folder: str, quota: int, period: int = 100_000) -> dict[str, str]:
    return {f"{folder}/cpu.cfs_quota_us": f"{quota}\n", f"{folder}/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        pytest.param({}, None, id="no control groups"),
        pytest.param(
            {"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/docker/abc/cpu.max": "50000 100000"},
            0.5,
            id="version 2",
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000"}, None, id="no limit"
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/pod/c\n",
                "sys/fs/cgroup/pod/cpu.max": "150000 100000",
                "sys/fs/cgroup/pod/c/cpu.max": "400000 100000",
            },
            1.5,
            id="a tighter limit above",
        ),
        pytest.param(
            {"proc/self/cgroup": "3:cpu,cpuacct:/x\n0::/\n", **v1("sys/fs/cgroup/cpu/x", 20_000)},
            0.2,
            id="version 1",
        ),
        pytest.param(
            {"proc/self/cgroup": "3:cpu:/x\n", **v1("sys/fs/cgroup/cpu/x", -1)}, None, id="version 1, none"
        ),
        pytest.param(
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/s\n0::/user.slice\n",
                "proc/self/mountinfo": _V1.format(top="/") + _V2.format(top="/").replace(
                    "/sys/fs/cgroup ", "/sys/fs/cgroup/unified "
                ),
                "sys/fs/cgroup/unified/user.slice/cgroup.procs": "",
                **v1("sys/fs/cgroup/cpu,cpuacct/s", 75_000, 50_000),
            },
            1.5,
            id="both versions",
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000"}, 0.5, id="own namespace"
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/docker/abc/child\n",
                "proc/self/mountinfo": _V2.format(top="/docker/abc"),
                "sys/fs/cgroup/cpu.max": "200000 100000",
                "sys/fs/cgroup/child/cpu.max": "50000 100000",
            },
            0.5,
            id="the mount is the container's group",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/../other\n",
                "proc/self/mountinfo": _V2.format(top="/"),
                "sys/fs/cgroup/cpu.max": "50000 100000",
            },
            0.5,
            id="outside of the namespace",
        ),
        pytest.param(
            {"proc/self/cgroup": "3:cpu:/docker/abc\n", **v1("sys/fs/cgroup/cpu", 250_000)},
            2.5,
            id="version 1 mounted at the container's group",
        ),
    ],
)  # fmt: skip
def test_the_tightest_limit_is_found(tmp_path: Path, files: dict[str, str], quota: float | None) -> None:
    assert read_quota(write_files(tmp_path, files)) == quota


def test_how_often_the_limit_was_enforced_is_counted_where_there_is_one(tmp_path: Path) -> None:
    counts = "usage_usec 1\nnr_periods 531\nnr_throttled 526\nthrottled_usec 9\n"
    group = {"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.stat": counts}

    limited = write_files(tmp_path / "a", {**group, "sys/fs/cgroup/a/cpu.max": "20000 100000"})
    unlimited = write_files(tmp_path / "b", {**group, "sys/fs/cgroup/a/cpu.max": "max 100000"})

    assert read_throttling(limited) == Throttling(periods=531, throttled=526)
    assert read_throttling(unlimited) is None
