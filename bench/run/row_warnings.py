"""What about a completed case makes it doubtful, in words with a remedy. Pure: values in, words out."""

import math
from collections.abc import Sequence
from statistics import median

from bench.bundle.variants import Precision
from bench.measurements import Block, Completed, SustainedRun
from bench.run.machine_warnings import BUSY_SHARE, STEAL_SHARE, of_heat, of_steal
from bench.statistics.precision import share_of_macs, share_of_operators
from bench.statistics.processes import interval_of_median
from bench.statistics.steadiness import drift_of, relative_range_of
from bench.system.state import HostState
from device_profiles.facts import Heat
from device_profiles.settings import Sampling

_SPREAD = 0.1
_DRIFT = 0.05
_CLOCK_CHANGE = 0.05
_MOSTLY = 0.5
_NAMES_SHOWN = 3
# The kernel counts CPU time in ticks of 10 ms: the difference of two readings is off by 4 ms (√(1/6) ticks),
# for each CPU and block; what is not three times as much as all of that together is not told from nothing.
_TICK_ERROR_NS = 4_000_000


def row_warnings(
    outcome: Completed,
    requested: Precision | None,
    sampling: Sampling,
    quick: bool,
    excluded_modules: Sequence[str] = (),
    heat: Heat | None = None,
) -> list[str]:
    """Return a sentence for each reason to doubt a completed case.

    `quick` promises no interval; `excluded_modules`: the modules that int8 was not asked of; `heat`: when
    this device slows itself down, where that is known.
    """
    blocks = [block for process in outcome.processes for block in process.blocks]
    return [
        *_of_samples(blocks),
        *([] if quick else _of_interval(outcome, sampling)),
        *_of_processes(outcome),
        *_counter_warnings(blocks),
        *_of_repetitions(outcome, heat),
        *_of_sustained(outcome.sustained, heat),
        *_of_precision(outcome, requested),
        *_of_operators(outcome, requested, excluded_modules),
        *_of_places(outcome),
    ]


def _of_samples(blocks: Sequence[Block]) -> list[str]:
    found = []
    if (spread := relative_range_of([ns for block in blocks for ns in block.ns])) > _SPREAD:
        found.append(
            f"latencies spread over {spread:.0%} of their median (from p10 to p90): the machine changes its "
            "speed; close other programs, or trust ratios rather than milliseconds"
        )
    in_order = sorted(blocks, key=lambda block: block.position)
    drift = drift_of([median(block.ns) for block in in_order])
    if abs(drift) > _DRIFT:
        found.append(
            f"latency drifted by {drift:+.0%} from the first third of the turns to the last: measure again, "
            "or see where it settles with --sustained 60"
        )
    return found


def _of_interval(outcome: Completed, sampling: Sampling) -> list[str]:
    count = len(outcome.processes)
    interval = interval_of_median(outcome.processes)
    if interval is None:
        return [f"no interval of the median: {count} processes are too few; give 'looks' of 5 or more"]
    if interval.half_width <= sampling.interval:
        return []
    sentence = (
        f"the median is known to ±{interval.half_width:.1%} only, not to the ±{sampling.interval:.1%} asked "
        f"for ({count} processes, then {outcome.ended.value}): raise 'looks' and 'time_limit_s' in the "
        "profile, or quieten the machine"
    )
    return [sentence]


def _of_processes(outcome: Completed) -> list[str]:
    found = []
    if restless := sum(not process.steady for process in outcome.processes):
        found.append(
            f"{restless} of {len(outcome.processes)} processes were not steady when warm-up ended: "
            "raise 'warm_up' in the profile, or close other programs"
        )
    if len({(process.group, process.repetition) for process in outcome.processes}) < len(outcome.processes):
        found.append("the run was interrupted and resumed: one repetition has two processes, and counts once")
    if outcome.groups > 1:
        found.append(
            f"measured in group {outcome.processes[0].group + 1} of {outcome.groups}, because the cases do "
            "not fit into memory together: compare it with rows of other groups by relative_to_control only, "
            "or measure fewer variants with --only"
        )
    return found


def _counter_warnings(blocks: Sequence[Block]) -> list[str]:
    found = []
    watched = [block.counters for block in blocks if block.counters is not None]
    counted = [one for one in watched if one.busy_ns is not None and one.steal_ns is not None]
    elapsed = sum(one.elapsed_ns for one in counted)
    error = 3 * _TICK_ERROR_NS * math.sqrt(sum(one.cpus for one in counted))
    others = sum((one.busy_ns or 0) - one.cpu_ns for one in counted)
    if others > max(BUSY_SHARE * elapsed, error):
        found.append(
            f"other processes used {others / elapsed:.2f} CPUs' worth of the CPUs it was pinned to: end them"
        )
    steal = sum(one.steal_ns or 0 for one in counted)
    share = steal / sum(one.elapsed_ns * one.cpus for one in counted) if counted else 0.0
    if share > STEAL_SHARE and steal > error:
        found.append(of_steal(share))
    clocks = [one.clock_khz for one in watched if one.clock_khz is not None]
    if clocks and max(clocks) > (1 + _CLOCK_CHANGE) * min(clocks):
        found.append(
            f"the clock moved between {min(clocks) / 1e6:.2f} and {max(clocks) / 1e6:.2f} GHz: "
            "sudo cpupower frequency-set -g performance, and cool the machine"
        )
    return found


def _of_repetitions(outcome: Completed, heat: Heat | None) -> list[str]:
    if not outcome.telemetry:
        return []
    return _of_states(outcome.telemetry[0].before, outcome.telemetry[-1].after, heat)


def _of_states(before: HostState, after: HostState, heat: Heat | None) -> list[str]:
    counts = after.throttle_counts.items()
    grown = [name for name, count in counts if count > before.throttle_counts.get(name, count)]
    found = []
    if grown:
        found.append(f"the machine slowed itself down while measuring ({', '.join(grown)}): cool it")
    if after.swapped_in_bytes > before.swapped_in_bytes:
        found.append("memory came back from swap while measuring: close other programs")
    return found + of_heat(after, heat)


def _of_sustained(run: SustainedRun | None, heat: Heat | None) -> list[str]:
    if run is None:
        return []
    found = _counter_warnings(run.blocks) + _of_states(run.before, run.after, heat)
    drift = drift_of([median(block.ns) for block in run.blocks])
    if abs(drift) > _DRIFT:
        found.append(f"latency drifted by {drift:+.0%}: plan with where it settles, not with the median")
    return [f"sustained: {sentence}" for sentence in found]


def _of_precision(outcome: Completed, requested: Precision | None) -> list[str]:
    if requested not in (Precision.INT8, Precision.FP16) or outcome.executed is None:
        return []
    operators = outcome.executed.operators
    if not operators:
        return [f"{requested.value} was asked for, and which precision ran is not told by this runtime"]
    by_macs = share_of_macs(operators)
    shares, what = (
        (by_macs, "multiply-accumulates") if by_macs else (share_of_operators(operators), "operators")
    )
    if shares is None or shares.get(requested.value, 0.0) >= _MOSTLY:
        return []
    ran = ", ".join(f"{share:.0%} in {name}" for name, share in shares.items())
    remedy = {
        Precision.FP16: "expect half the bytes at float speed; more only where the device computes in half",
        Precision.INT8: "expect no gain from integers; 'evidence' tells what kept its operators in float",
    }
    return [f"{requested.value} was asked for, and of the {what} {ran} ran: {remedy[requested]}"]


def _of_places(outcome: Completed) -> list[str]:
    count = 0 if outcome.executed is None else outcome.executed.elsewhere
    if not count:
        return []
    return [
        f"{count} steps ran on another provider than asked for, with a copy each way: its time is in here"
    ]


def _of_operators(
    outcome: Completed, requested: Precision | None, excluded_modules: Sequence[str]
) -> list[str]:
    """Doubt an int8 artifact of which other operators run in float than its recipe leaves there."""
    if requested != Precision.INT8 or outcome.executed is None or not outcome.executed.operators:
        return []
    ran = [one.name for one in outcome.executed.operators if one.precision != Precision.INT8.value]
    if len(ran) == len(excluded_modules):
        return []
    names = ", ".join(ran[:_NAMES_SHOWN]) + (", …" if len(ran) > _NAMES_SHOWN else "")
    sentence = (
        f"{len(ran)} operators ran in float{f' ({names})' if ran else ''}, but the recipe excludes "
        f"{len(excluded_modules)} modules from int8: this runtime changes the recipe, so trust this row's "
        "accuracy, not the manifest's"
    )
    return [sentence]
