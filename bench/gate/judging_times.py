"""The verdicts on the latencies and load times of all variants, and which need more processes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.gate.findings import Quantity, Verdict
from bench.gate.multiplicity import TimePlan
from bench.gate.options import Limits
from bench.gate.timing_rules import TimeRatio, TimeVerdict, judge_times, with_shared_variances
from bench.statistics.replication import Estimate

TimeVerdicts = Mapping[tuple[str, Quantity], TimeVerdict]


@dataclass(frozen=True)
class Times:
    """One time of a variant on both sides: its latency, or its load time."""

    baseline_ns: float
    """The baseline's median."""
    candidate_ns: float
    """The candidate's median."""
    ratio: Estimate | str
    """The estimate of the logarithm of candidate ÷ baseline, or the reason why there is none."""
    processes: int = 1
    """How many processes of each side were timed."""
    comparable: bool = True
    """Whether an estimate was possible at all."""


def judge_all_times(
    times: Mapping[tuple[str, Quantity], Times], limits: Limits, plan: TimePlan
) -> dict[tuple[str, Quantity], TimeVerdict]:
    """Return the verdict on each time that has an estimate, by case and quantity."""
    latencies = _ratios(times, Quantity.LATENCY, limits.max_slowdown, plan)
    load_times = _ratios(times, Quantity.LOAD_TIME, limits.max_load_slowdown, plan)
    ratios = latencies | load_times
    return dict(zip(ratios, judge_times(list(ratios.values()), plan), strict=True))


def _ratios(
    times: Mapping[tuple[str, Quantity], Times], quantity: Quantity, limit: float, plan: TimePlan
) -> dict[tuple[str, Quantity], TimeRatio]:
    """Return the ratios of one quantity. Variants that were timed together share their variances."""
    ratios = {
        key: TimeRatio(time.ratio, time.processes, limit)
        for key, time in times.items()
        if key[1] is quantity and not isinstance(time.ratio, str)
    }
    if not plan.check_after_processes:
        return ratios
    return dict(zip(ratios, with_shared_variances(list(ratios.values())), strict=True))


def open_cases(verdicts: TimeVerdicts, limits: Limits) -> dict[str, bool]:
    """Return the cases that need more processes, and whether each seems to be worse.

    They are those whose latency is undecided, or whose load time is and exceeds its limit. A time seems to be
    worse if it exceeds its limit, and its interval excludes that it fell as much.
    """
    limit = {Quantity.LATENCY: limits.max_slowdown, Quantity.LOAD_TIME: limits.max_load_slowdown}
    still: dict[str, bool] = {}
    for (case, quantity), judged in verdicts.items():
        exceeds = judged.ratio > 1 + limit[quantity]
        if judged.verdict is Verdict.UNDECIDED and (quantity is Quantity.LATENCY or exceeds):
            seems_worse = exceeds and judged.interval.low > 1 / (1 + limit[quantity])
            still[case] = still.get(case, False) or seems_worse
    return still
