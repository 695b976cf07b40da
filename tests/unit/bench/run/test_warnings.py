"""What disturbs a measurement is named with a remedy: of a machine before, of a row afterwards."""

import re
from typing import Any

import pytest
from making.tiny_report import CALM, HOST, completed, executed, process

from bench.bundle.variants import Precision
from bench.harness.sustained_blocks import block_of
from bench.measurements import Block, Completed, End, RepetitionState, SustainedRun, SystemCounters
from bench.run.machine_warnings import machine_warnings, pinning_warnings
from bench.run.row_warnings import _counter_warnings, row_warnings
from bench.system.thread_variables import set_variables
from device_profiles.loading import load_profile

SAMPLING = load_profile("laptop-cpu").sampling
QUIET = SystemCounters(
    elapsed_ns=10**9, cpus=2, cpu_ns=10**9, busy_ns=10**9, steal_ns=0, preemptions=0, clock_khz=2_000_000
)


def test_a_calm_machine_has_no_warning() -> None:
    assert machine_warnings(HOST, CALM) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"busy_share": 0.4}, "other programs use 40% of the CPUs: end them"),
        ({"steal_share": 0.07}, "hypervisor gave 7% .*: trust ratios"),
        ({"on_battery": True}, "runs on battery, .*: plug it in"),
        ({"swap_used_bytes": 1, "available_bytes": 1 << 20}, "swap is in use: close other programs"),
        ({"temperatures": {"cpu": 50.0, "gpu": 83.0}}, "gpu is at 83 °C, .*: let it cool"),
        ({"throttled_bits": 0x50005}, r"is throttled \(under-voltage, throttled\): cool it"),
        ({"throttled_bits": 0x20000}, r"since it booted \(clock capped\)"),
    ],
)
def test_each_disturbance_is_named_with_its_remedy(changes: dict[str, object], words: str) -> None:
    found = machine_warnings(HOST, CALM.model_copy(update=changes))

    assert len(found) == 1
    assert re.search(words, found[0])


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (0.5, "may use 0.5 of 2 CPUs, so the kernel stops every inference again and again: raise the cont"),
        (1.5, "may use 1.5 of 2 CPUs, so at most 1 thread run"),
    ],
)
def test_a_limit_of_the_container_is_named(quota: float, words: str) -> None:
    (warning,) = machine_warnings(HOST.model_copy(update={"cpu_quota": quota, "online_cpus": 2}), CALM)

    assert words in warning
    assert machine_warnings(HOST.model_copy(update={"cpu_quota": 2.0}), CALM) == []


def test_a_process_that_a_library_may_have_pinned_is_named() -> None:
    pinned = HOST.model_copy(update={"usable_cpus": 1, "online_cpus": 2})
    (bind,) = set_variables({"OMP_PROC_BIND": "close"})

    (warning,) = pinning_warnings(pinned, [bind])

    assert "may use 1 of 2 CPUs, and OMP_PROC_BIND=close is set" in warning
    assert pinning_warnings(pinned, []) == []
    assert pinning_warnings(HOST.model_copy(update={"online_cpus": 2}), [bind]) == []
    assert pinning_warnings(HOST, [bind]) == []


def test_cpus_over_which_the_kernel_spreads_no_threads_are_named() -> None:
    (warning,) = machine_warnings(HOST.model_copy(update={"isolated_cpus": (2, 3)}), CALM)

    assert "CPUs 2, 3, which are isolated" in warning
    assert machine_warnings(HOST.model_copy(update={"isolated_cpus": (2,)}), CALM) == []


def test_a_case_that_the_limit_stopped_says_how_often_and_does_not_blame_other_programs() -> None:
    before, after = (
        CALM.model_copy(update={"cpu_periods": periods, "cpu_periods_throttled": throttled})
        for periods, throttled in ((100, 3), (631, 529))
    )
    state = RepetitionState(group=0, repetition=0, before=before, after=after)
    unsteady = with_unsteady_processes(steady(telemetry=(state,)))

    found = row_warnings(unsteady, Precision.FP32, SAMPLING, quick=False)

    assert any("CPU limit stopped this run in 526 of 531 periods" in sentence for sentence in found)
    assert any("were not steady" in sentence for sentence in found)
    assert all("raise the container's CPU limit" in sentence for sentence in found)
    assert not any("other programs" in sentence for sentence in found)


def with_unsteady_processes(outcome: Completed) -> Completed:
    processes = tuple(one.model_copy(update={"steady": False}) for one in outcome.processes)
    return outcome.model_copy(update={"processes": processes})


def test_a_governor_that_changes_clocks_is_named() -> None:
    assert "powersave" in machine_warnings(HOST.model_copy(update={"governor": "powersave"}), CALM)[0]


def steady(**changes: Any) -> Completed:
    """Five processes that all say the same, in calm surroundings."""
    processes = []
    for repetition in range(5):
        one = process(100, repetition, steps=(0, 0))
        blocks = tuple(
            block.model_copy(update={"ns": (10**8,) * 2, "counters": QUIET}) for block in one.blocks
        )
        processes.append(one.model_copy(update={"blocks": blocks}))
    return completed(100, processes=tuple(processes), ended=End.NARROW, **changes)


def with_blocks(outcome: Completed, **changes: object) -> Completed:
    """The same with other surroundings in every other block."""
    processes = tuple(
        one.model_copy(
            update={
                "blocks": (
                    one.blocks[0].model_copy(update={"counters": QUIET.model_copy(update=changes)}),
                    *one.blocks[1:],
                )
            }
        )
        for one in outcome.processes
    )
    return outcome.model_copy(update={"processes": processes})


def with_stops(start: int = 0, block: int = 0) -> Completed:
    """Processes, in the first of which everything stood still for some time."""
    outcome = steady()
    first, *others = outcome.processes
    stopped, *blocks = first.blocks
    blocks = [stopped.model_copy(update={"stopped_ns": block}), *blocks]
    first = first.model_copy(update={"stopped_ns": start, "blocks": tuple(blocks)})
    return outcome.model_copy(update={"processes": (first, *others)})


def with_levels(levels: list[float], ended: End = End.TIME) -> Completed:
    """Processes at such levels in milliseconds, with turns in order."""
    processes = []
    for repetition, ms in enumerate(levels):
        one = process(ms, repetition, passes=1)
        block = one.blocks[0].model_copy(update={"ns": (round(ms * 1e6),) * 4, "position": repetition})
        processes.append(one.model_copy(update={"blocks": (block,)}))
    return completed(10, processes=tuple(processes), ended=ended)


def test_a_row_from_a_quiet_machine_has_no_warning() -> None:
    assert row_warnings(steady(), Precision.FP32, SAMPLING, quick=False) == []


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (with_blocks(steady(), busy_ns=15 * 10**8), "other programs used 0.25 of the CPUs .*: end them"),
        (with_blocks(steady(), steal_ns=2 * 10**8), "hypervisor gave 5% of these CPUs"),
        (
            with_blocks(steady(), clock_khz=1_500_000),
            "clock changed between 1.50 and 2.00 GHz: sudo",
        ),
        (
            with_stops(block=5),
            "stood still in 1 of 10 blocks, each time they were measured, .*: measure again",
        ),
        (with_stops(start=5), "stood still in 1 of 5 starts of a process, .*: measure again"),
        (with_levels([10, 10, 10, 10, 14]), r"from p10 to p90 is \d+% .* close other programs"),
        (with_levels([10, 10, 10.3, 10.6, 10.9, 10.9]), r"drifted by \+9%.*--sustained 60"),
        (
            with_levels([10, 10.5, 10, 9.6, 10]),
            r"is ±\d.\d%, and ±2.0% was requested \(5 processes, then time limit\)",
        ),
        (with_levels([10, 10]), "no interval of the median: 2 processes are too few"),
        (with_levels([10, 12, 10, 8, 11]), r"processes, then time limit\): give it more --seconds, or"),
        (
            with_levels([10, 12, 10, 8, 11], End.PROCESSES),
            "used\\): raise 'check_after_processes' in the pro",
        ),
    ],
)
def test_each_warning_about_a_row_has_its_remedy(outcome: Completed, words: str) -> None:
    found = row_warnings(outcome, Precision.FP32, SAMPLING, quick=False)

    assert any(re.search(words, sentence) for sentence in found), found


def test_other_programs_never_used_more_than_there_is_however_short_the_blocks_are() -> None:
    """Of a block of 4 ms that waited for a CPU before and after, the kernel counts its ticks of 10 ms."""
    short = QUIET.model_copy(
        update={"elapsed_ns": 4_000_000, "cpu_ns": 4_000_000, "busy_ns": 40_000_000, "steal_ns": 40_000_000}
    )
    whole = short.model_copy(update={"counted_ns": 25_000_000, "steal_ns": 0})

    found = _counter_warnings([(short, 1)] * 40)
    assert found[0].startswith("other programs used 1.00 of the CPUs")
    assert found[1].startswith("the hypervisor gave 100% of")
    assert _counter_warnings([(whole, 1)] * 40)[0].startswith("other programs used 1.44 of the CPUs")


def test_quick_promises_no_interval_and_does_not_miss_it() -> None:
    assert row_warnings(with_levels([10], End.FEW), Precision.FP32, SAMPLING, quick=True) == []


def test_an_unsteady_warm_up_and_a_resumed_round_are_said() -> None:
    one = process(100, steps=(0, 0), passes=1)
    restless = one.model_copy(update={"steady": False})

    found = row_warnings(completed(1, processes=(one, restless)), Precision.FP32, SAMPLING, quick=False)

    assert any("1 of 2 processes were not steady" in sentence for sentence in found)
    assert any("interrupted and resumed" in sentence for sentence in found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"throttle_counts": {"cpu0": 5}}, r"was throttled while measuring \(cpu0\): cool it"),
        ({"swapped_in_bytes": 1}, "swapped in while measuring"),
        ({"throttled_bits": 4}, r"is throttled \(throttled\)"),
        ({"temperatures": {"cpu": 91.0}}, "cpu is at 91 °C"),
    ],
)
def test_what_happened_between_before_and_after_is_a_warning(changes: dict[str, object], words: str) -> None:
    state = RepetitionState(group=0, repetition=0, before=CALM, after=CALM.model_copy(update=changes))

    found = row_warnings(steady(telemetry=(state,)), Precision.FP32, SAMPLING, quick=False)

    assert len(found) == 1
    assert re.search(words, found[0])


def test_an_operator_that_should_run_in_float_and_does_not_warns() -> None:
    outcome = steady(executed=executed("int8"))

    assert row_warnings(outcome, Precision.INT8, SAMPLING, quick=False) == []
    found = row_warnings(outcome, Precision.INT8, SAMPLING, quick=False, excluded_modules=("features.0.0",))
    assert len(found) == 1
    assert "0 operators ran in float, but the recipe excludes 1 modules" in found[0]


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 step was not taken by"), (3, "3 steps were not taken by")]
)
def test_steps_that_fast_kernels_did_not_take_are_a_warning(count: int, words: str) -> None:
    ran = executed("fp32").model_copy(update={"unaccelerated": count})

    (warning,) = row_warnings(steady(executed=ran), Precision.FP32, SAMPLING, quick=False)

    assert words in warning


def test_a_label_that_is_not_what_ran_is_a_warning() -> None:
    in_float = steady(executed=executed("fp32"))

    assert (
        "int8 was requested, but the multiply-accumulates ran 100% in fp32"
        in (row_warnings(in_float, Precision.INT8, SAMPLING, quick=False)[0])
    )
    assert "at the speed of fp32" in row_warnings(in_float, Precision.FP16, SAMPLING, quick=False)[0]
    assert row_warnings(steady(executed=executed("int8")), Precision.INT8, SAMPLING, quick=False) == []
    unknown = steady(executed=executed("fp32", macs=None))
    assert "the operators ran 100% in fp32" in row_warnings(unknown, Precision.INT8, SAMPLING, quick=False)[0]


def test_groups_are_shown_with_what_may_be_compared() -> None:
    found = row_warnings(steady(groups=3), Precision.FP32, SAMPLING, quick=False)

    assert len(found) == 1
    assert "measured in group 1 of 3" in found[0]
    assert "relative_to_control" in found[0]


def test_a_sustained_minute_has_warnings_of_its_own() -> None:
    blocks = tuple(
        Block(pass_index=at, position=at, ns=(level,)) for at, level in enumerate([100, 100, 130, 130])
    )
    hot = CALM.model_copy(update={"temperatures": {"cpu": 88.0}})
    run = SustainedRun(blocks=blocks, before=CALM, after=hot)

    found = row_warnings(steady(sustained=run), Precision.FP32, SAMPLING, quick=False)

    assert any("in the sustained run, cpu is at 88 °C" in sentence for sentence in found)
    assert any("in the sustained run, latency drifted by +30%" in sentence for sentence in found)


def test_near_its_throttling_temperature_the_zone_is_named() -> None:
    heat = load_profile("raspberry-pi-3b-plus").heat
    warm = CALM.model_copy(update={"temperatures": {"cpu-thermal (zone0)": 57.0, "other (zone1)": 90.0}})

    assert (
        "cpu-thermal (zone0) is at 57 °C, and this device throttles at 60"
        in machine_warnings(HOST, warm, heat)[0]
    )
    assert (
        machine_warnings(HOST, warm.model_copy(update={"temperatures": {"cpu-thermal (zone0)": 50.0}}), heat)
        == []
    )


def test_a_sustained_run_that_was_resumed_says_when_the_machine_cooled() -> None:
    blocks = tuple(block_of((100,), None) for _ in range(4))
    run = SustainedRun(figures=blocks, resumed_at_s=(3600.4,), before=CALM, after=CALM)

    (found,) = row_warnings(steady(sustained=run), Precision.FP32, SAMPLING, quick=False)

    assert found.startswith("in the sustained run, the measurement was interrupted after 3600 s and resumed")
