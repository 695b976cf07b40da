"""Which CPUs threads run on, and how many: fast physical cores first, within the limit of a container."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from making.recorded_cpus import Cpu, cpu_files
from making.recorded_files import write_files

from bench.system.cpus import CoreKind, Cpus, chosen_cpus, cpus_for, read_cpus
from bench.system.host import Host, read_host
from bench.system.snapshot import SystemSnapshot, usable_cpus

ROCK_5B = [*[Cpu("A55", 414, 1_800_000)] * 4, *[Cpu("A76", 1024, 2_400_000)] * 4]
ODROID_N2 = [*[Cpu("A53", 446, 1_900_000)] * 2, *[Cpu("A73", 1024, 1_800_000)] * 4]
# 6 performance cores with two threads each, 8 efficiency cores with one.
HYBRID = [
    *[Cpu(max_khz=4_700_000, siblings=f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}") for cpu in range(12)],
    *[Cpu(max_khz=3_500_000, siblings=f"{cpu}") for cpu in range(12, 20)],
]
HYBRID_KINDS = {"sys/devices/cpu_core/cpus": "0-11\n", "sys/devices/cpu_atom/cpus": "12-19\n"}


def cpus_of(
    root: Path,
    cpus: Sequence[Cpu] | Mapping[int, Cpu],
    usable: Sequence[int] | None = None,
    online: str | None = None,
) -> Cpus:
    """Record CPUs below `root`, and read them."""
    write_files(root, cpu_files(cpus, online))
    numbers = cpus if isinstance(cpus, Mapping) else range(len(cpus))
    return read_cpus(numbers if usable is None else usable, root)


def host_of(root: Path, usable: Sequence[int]) -> Host:
    return read_host(
        SystemSnapshot(
            root=root,
            architecture="aarch64",
            processor="",
            kernel="6.1",
            os="Debian",
            python="3.11",
            usable_cpus=tuple(usable),
            memory_bytes=8 << 30,
            programs_above=(),
            declared_emulated=None,
        )
    )


@pytest.mark.parametrize(
    ("cpus", "fast", "name"),
    [
        (ROCK_5B, (4, 5, 6, 7), "4× Cortex-A76 + 4× Cortex-A55"),
        (ODROID_N2, (2, 3, 4, 5), "4× Cortex-A73 + 2× Cortex-A53"),
    ],
)
def test_threads_go_to_the_fast_cores_and_the_cpu_is_named_by_all(
    tmp_path: Path, cpus: Sequence[Cpu], fast: tuple[int, ...], name: str
) -> None:
    read = cpus_of(tmp_path, cpus)
    host = host_of(tmp_path, range(len(cpus)))

    assert read.threads == host.threads == len(fast) == 4
    assert chosen_cpus(read, 4) == fast
    assert chosen_cpus(read, 1) == fast[:1]
    assert chosen_cpus(read, len(cpus)) == tuple(range(len(cpus)))
    assert host.cpu == name
    assert [kind.is_fast for kind in host.cores] == [True, False]
    assert host.physical_cores == len(cpus)


def test_without_capacities_the_highest_clock_decides_but_not_against_the_kind_of_core(
    tmp_path: Path,
) -> None:
    by_clock = cpus_of(tmp_path / "a", [Cpu("A55", None, 1_800_000), Cpu("A76", None, 2_400_000)])
    # The small cores of an S922X have the higher clock.
    by_kind = cpus_of(tmp_path / "b", [Cpu("A53", None, 1_900_000), Cpu("A73", None, 1_800_000)])
    by_kind_alone = cpus_of(tmp_path / "c", [Cpu("A53"), Cpu("A73")])

    assert [chosen_cpus(read, 1) for read in (by_clock, by_kind, by_kind_alone)] == [(1,)] * 3


def test_equal_capacities_leave_it_to_the_clock(tmp_path: Path) -> None:
    read = cpus_of(tmp_path, [Cpu("A72", 1024, 1_400_000), Cpu("A72", 1024, 2_000_000)])

    assert chosen_cpus(read, 1) == (1,)
    assert read.threads == 1


def test_a_machine_that_says_nothing_of_speeds_has_equal_cores(tmp_path: Path) -> None:
    partly = [Cpu("A76", None, 2_400_000), Cpu("A76"), Cpu("A76", None, 1_000), Cpu("A76")]

    assert cpus_of(tmp_path / "a", [Cpu()] * 4).threads == 4
    assert cpus_of(tmp_path / "b", partly).threads == 4


def test_four_equal_cores_are_named_and_used_as_before(tmp_path: Path) -> None:
    read = cpus_of(tmp_path, [Cpu("A76", 1024, 2_400_000)] * 4)
    host = host_of(tmp_path, range(4))

    assert host.cpu == "Cortex-A76"
    assert host.cores == (CoreKind(name="Cortex-A76", cores=4, is_fast=True),)
    assert host.cores_in_words == "4 cores"
    assert chosen_cpus(read, 2) == (0, 1)
    assert read.threads == 4


def test_cores_that_may_turbo_a_little_higher_are_no_kind_of_their_own(tmp_path: Path) -> None:
    desktop = [*[Cpu(max_khz=5_700_000)] * 2, *[Cpu(max_khz=5_400_000)] * 6]
    prime = [*[Cpu("A55", 300)] * 4, *[Cpu("A77", 871)] * 3, Cpu("A77", 1024)]

    assert cpus_of(tmp_path / "a", desktop).threads == 8
    assert cpus_of(tmp_path / "b", prime).threads == 4
    assert chosen_cpus(cpus_of(tmp_path / "b", prime), 1) == (7,)
    assert host_of(tmp_path / "b", range(8)).cpu == "4× Cortex-A77 + 4× Cortex-A55"


def test_of_three_clusters_the_fastest_is_used_first_and_all_are_named(tmp_path: Path) -> None:
    read = cpus_of(tmp_path, [*[Cpu("A55", 250)] * 4, *[Cpu("A76", 620)] * 2, *[Cpu("A77", 1024)] * 2])

    assert read.threads == 2
    assert chosen_cpus(read, 3) == (4, 6, 7)
    assert host_of(tmp_path, range(8)).cpu == "2× Cortex-A77 + 2× Cortex-A76 + 4× Cortex-A55"


def test_a_hybrid_x86_gives_threads_to_performance_cores_then_efficiency_cores_then_hyper_threads(
    tmp_path: Path,
) -> None:
    write_files(tmp_path, HYBRID_KINDS)
    read = cpus_of(tmp_path, HYBRID, online="0-19")
    host = host_of(tmp_path, range(20))

    assert read.threads == 6
    assert chosen_cpus(read, 6) == (0, 2, 4, 6, 8, 10)
    assert chosen_cpus(read, 14) == (0, 2, 4, 6, 8, 10, *range(12, 20))
    assert chosen_cpus(read, 15) == (0, 1, 2, 4, 6, 8, 10, *range(12, 20))
    assert host.cpu == "Test CPU"
    assert host.cores_in_words == "14 cores: 6× performance core (fast) + 8× efficiency core"


def test_a_process_kept_to_slow_cores_uses_them_as_the_fastest_it_has(tmp_path: Path) -> None:
    read = cpus_of(tmp_path, ROCK_5B, usable=[0, 1, 2, 3])
    host = host_of(tmp_path, [0, 1, 2, 3])

    assert read.threads == 4
    assert chosen_cpus(read, 4) == (0, 1, 2, 3)
    assert host.cpu == "4× Cortex-A76 + 4× Cortex-A55"
    assert host.may_use == "edgefit may use 4 of 8 CPUs"


def test_cores_that_are_switched_off_are_not_counted(tmp_path: Path) -> None:
    read = cpus_of(tmp_path, {cpu: Cpu("A78AE") for cpu in (0, 1, 2, 3)}, online="0-3")

    assert len(read.online) == read.threads == 4


def test_cpus_may_be_many_and_numbered_with_gaps(tmp_path: Path) -> None:
    many = cpus_of(tmp_path / "a", [Cpu(siblings=f"{cpu % 96},{cpu % 96 + 96}") for cpu in range(192)])
    gaps = cpus_of(tmp_path / "b", {0: Cpu(), 2: Cpu(), 8: Cpu()}, online="0,2,8")

    assert many.threads == 96
    assert chosen_cpus(many, 96) == tuple(range(96))
    assert chosen_cpus(gaps, 2) == (0, 2)


def test_threads_stay_in_one_package_while_it_has_cores(tmp_path: Path) -> None:
    read = cpus_of(tmp_path, [Cpu(package=cpu % 2) for cpu in range(8)])

    assert chosen_cpus(read, 4) == (0, 2, 4, 6)


def test_cores_that_nobody_knows_are_named_by_their_numbers(tmp_path: Path) -> None:
    cpus_of(tmp_path / "a", [Cpu("unknown", 300), Cpu("A76", 1024)])
    cpus_of(tmp_path / "b", [Cpu("unknown"), Cpu("unknown")])

    assert host_of(tmp_path / "a", (0, 1)).cpu == "1× Cortex-A76 + 1× core 0x41/0xfff"
    assert host_of(tmp_path / "b", (0, 1)).cpu == "aarch64"


@pytest.mark.parametrize(
    ("quota", "threads"), [("max 100000", 4), ("800000 100000", 4), ("250000 100000", 2), ("20000 100000", 1)]
)
def test_no_more_threads_run_than_the_limit_allows_at_once(tmp_path: Path, quota: str, threads: int) -> None:
    write_files(tmp_path, {"sys/fs/cgroup/cpu.max": quota})
    read = cpus_of(tmp_path, ROCK_5B)

    assert read.threads == threads
    assert set(chosen_cpus(read, read.threads)) <= {4, 5, 6, 7}


def test_a_cpuset_that_is_narrower_than_the_affinity_counts(tmp_path: Path) -> None:
    write_files(tmp_path, {"sys/fs/cgroup/cpuset.cpus.effective": "2-3\n"})
    read = cpus_of(tmp_path, [Cpu()] * 4)
    elsewhere = read_cpus((0, 1), tmp_path)

    assert [cpu.number for cpu in read.usable] == [2, 3]
    assert [cpu.number for cpu in elsewhere.usable] == [0, 1]


def test_isolated_cpus_are_known(tmp_path: Path) -> None:
    write_files(tmp_path, {"sys/devices/system/cpu/isolated": "2-3\n"})

    assert cpus_of(tmp_path, [Cpu()] * 4, usable=[1, 2, 3]).isolated == (2, 3)
    assert cpus_of(tmp_path, [Cpu()] * 4, usable=[0, 1]).isolated == ()


def test_threads_are_pinned_to_cpus_this_process_may_use() -> None:
    pinned = cpus_for(1)

    assert pinned is not None
    assert set(pinned) <= set(usable_cpus())
    assert len(pinned) == 1
