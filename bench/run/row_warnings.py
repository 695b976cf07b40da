"""Warnings about a completed case, each with a remedy. Pure: values in, sentences out."""

import math
from collections.abc import Sequence
from statistics import median

from bench.bundle.variants import Precision
from bench.errors import first_sentence
from bench.harness.sustained_blocks import blocks_of
from bench.harness.timed_outputs import MOST_DIFFERENCE
from bench.measurements import Block, Completed, End, Operator, RepeatedInputs, SustainedRun, SystemCounters
from bench.run.machine_warnings import (
    BUSY_SHARE,
    RAISE_LIMIT,
    STEAL_SHARE,
    heat_warnings,
    standstill_warnings,
    steal_warning,
    throttled_between,
    throttled_warning,
)
from bench.statistics.precision import share_of_macs, share_of_operators
from bench.statistics.processes import interval_of_median
from bench.statistics.repeats import gain_of_repeating
from bench.statistics.steadiness import drift_of, relative_range_of
from bench.system.state import HostState
from device_profiles.facts import Heat
from device_profiles.settings import Sampling

_RELATIVE_RANGE = 0.1
_DRIFT = 0.05
_CLOCK_CHANGE = 0.05
_MOSTLY = 0.5
_NAMES_SHOWN = 3
_BY_GRAPH = "is the file's own precision"
# The kernel counts CPU time in ticks of 10 ms. The difference of two readings has an error of 4 ms (√(1/6)
# ticks) for each CPU and block. Only three times the error of all blocks together is taken for real.
_TICK_ERROR_NS = 4_000_000


def row_warnings(
    outcome: Completed,
    requested: Precision | None,
    sampling: Sampling,
    quick: bool,
    excluded_modules: Sequence[str] | None = (),
    heat: Heat | None = None,
) -> list[str]:
    """Return a sentence for each warning about a completed case.

    A `quick` run is not expected to have an interval. `excluded_modules` are the modules that the recipe
    keeps in fp32; None for a model file, which has no recipe. `heat` says at which temperature the device
    throttles, where that is known.
    """
    blocks = [block for process in outcome.processes for block in process.blocks]
    remedy = _remedy(outcome)
    return [
        *_of_samples(blocks, remedy),
        *([] if quick else _of_interval(outcome, sampling, remedy)),
        *_of_processes(outcome, remedy),
        *standstill_warnings(outcome.processes),
        *_of_outputs(outcome),
        *repeat_warnings(outcome.repeats),
        *_counter_warnings([(block.counters, 1) for block in blocks]),
        *_of_repetitions(outcome, heat),
        *_of_sustained(outcome.sustained, heat),
        *_of_precision(outcome, requested, "was requested" if excluded_modules is not None else _BY_GRAPH),
        *([] if excluded_modules is None else _of_operators(outcome, requested, excluded_modules)),
        *_of_places(outcome),
        *_of_kernels(outcome),
        *_of_proof(outcome),
    ]


def _remedy(outcome: Completed) -> str:
    """Return what to do about latencies that vary: about the container's limit if the kernel enforced it."""
    states = outcome.telemetry
    is_stopped = (
        bool(states)
        and throttled_between(states[0].before.throttling, states[-1].after.throttling) is not None
    )
    return RAISE_LIMIT if is_stopped else "close other programs"


def _of_samples(blocks: Sequence[Block], remedy: str) -> list[str]:
    warnings = []
    if (relative_range := relative_range_of([ns for block in blocks for ns in block.ns])) > _RELATIVE_RANGE:
        warnings.append(
            f"the range of latencies from p10 to p90 is {relative_range:.0%} of their median: the machine "
            f"changes its speed; {remedy}, or trust ratios rather than milliseconds"
        )
    in_order = sorted(blocks, key=lambda block: block.position)
    drift = drift_of([median(block.ns) for block in in_order])
    if abs(drift) > _DRIFT:
        warnings.append(
            f"latency drifted by {drift:+.0%} from the first third of the blocks to the last: measure again, "
            "or see where it settles with --sustained 60"
        )
    return warnings


def _of_interval(outcome: Completed, sampling: Sampling, remedy: str) -> list[str]:
    count = len(outcome.processes)
    interval = interval_of_median(outcome.processes)
    if interval is None:
        too_few = f"no interval of the median: {count} processes are too few"
        return [f"{too_few}; set 'check_after_processes' in the profile to 5 or more"]
    if interval.half_width <= sampling.interval:
        return []
    more = (
        "give it more --seconds"
        if outcome.ended is End.TIME
        else "raise 'check_after_processes' in the profile"
    )
    sentence = (
        f"the interval of the median is ±{interval.half_width:.1%}, and ±{sampling.interval:.1%} was "
        f"requested ({count} processes, then {outcome.ended.value}): {more}, or {remedy}"
    )
    return [sentence]


def _of_processes(outcome: Completed, remedy: str) -> list[str]:
    warnings = []
    if unsteady := sum(not process.steady for process in outcome.processes):
        warnings.append(
            f"{unsteady} of {len(outcome.processes)} processes were not steady when warm-up ended: "
            f"raise 'warm_up' in the profile, or {remedy}"
        )
    if len({(process.group, process.repetition) for process in outcome.processes}) < len(outcome.processes):
        warnings.append(
            "the run was interrupted and resumed: one repetition has two processes and counts once"
        )
    if outcome.groups > 1:
        warnings.append(
            f"measured in group {outcome.processes[0].group + 1} of {outcome.groups}, because the cases do "
            "not fit into memory together: compare it with rows of other groups only by "
            "relative_to_control, or measure fewer variants with --only"
        )
    return warnings


def _of_outputs(outcome: Completed) -> list[str]:
    """Warn of a file that does not answer twice the same; any other with such a difference has failed."""
    difference = outcome.largest_output_difference
    if difference is None or difference <= MOST_DIFFERENCE:
        return []
    sentence = (
        "its outputs for one input differ from one inference to the next, by up to "
        f"{difference:.2g} times the output's largest value, so accuracy and outputs are those of one pass, "
        "and whether timed inferences answer as untimed ones is unknown: take out what is random in the file"
    )
    return [sentence]


def repeat_warnings(repeats: RepeatedInputs | None) -> list[str]:
    """Warn of a runtime that remembers its answers."""
    gain = None if repeats is None else gain_of_repeating(repeats.first_ns, repeats.again_ns)
    if gain is None:
        return []
    sentence = (
        f"an input that it never had takes {gain:.1f} times as long as the same again, as if it remembered "
        "answers, and timed inferences have the same inputs in turn: its latency for new inputs is higher; "
        "switch off what remembers answers in the runtime or the file"
    )
    return [sentence]


def _counter_warnings(blocks: Sequence[tuple[SystemCounters | None, int]]) -> list[str]:
    """Warn of what the counters of blocks show; each with the number of blocks that were joined to one."""
    warnings = []
    known = [(block, joined) for block, joined in blocks if block is not None]
    with_ticks = [pair for pair in known if pair[0].busy_ns is not None and pair[0].steal_ns is not None]
    counters, counted = [block for block, _ in known], [block for block, _ in with_ticks]
    window = sum(block.window_ns for block in counted)
    existing = sum(block.window_ns * block.cpus for block in counted)
    error = 3 * _TICK_ERROR_NS * math.sqrt(sum(block.cpus * joined for block, joined in with_ticks))
    # Of a window that is shorter than a tick, the kernel may count more than there was.
    busy = min(sum(block.busy_ns or 0 for block in counted), existing)
    others = busy - sum(block.cpu_ns for block in counted)
    if others > max(BUSY_SHARE * window, error):
        warnings.append(
            f"other programs used {others / window:.2f} of the CPUs that this case was pinned to: end them"
        )
    steal = min(sum(block.steal_ns or 0 for block in counted), existing)
    share = steal / existing if existing else 0.0
    if share > STEAL_SHARE and steal > error:
        warnings.append(steal_warning(share))
    clocks = [block.clock_khz for block in counters if block.clock_khz is not None]
    if clocks and max(clocks) > (1 + _CLOCK_CHANGE) * min(clocks):
        warnings.append(
            f"the clock changed between {min(clocks) / 1e6:.2f} and {max(clocks) / 1e6:.2f} GHz: "
            "sudo cpupower frequency-set -g performance, and cool the machine"
        )
    return warnings


def _of_repetitions(outcome: Completed, heat: Heat | None) -> list[str]:
    if not outcome.telemetry:
        return []
    return _of_states(outcome.telemetry[0].before, outcome.telemetry[-1].after, heat)


def _of_states(before: HostState, after: HostState, heat: Heat | None) -> list[str]:
    counts = after.throttle_counts.items()
    grown = [name for name, count in counts if count > before.throttle_counts.get(name, count)]
    warnings = []
    if grown:
        warnings.append(f"the machine was throttled while measuring ({', '.join(grown)}): cool it")
    if (stopped := throttled_between(before.throttling, after.throttling)) is not None:
        warnings.append(throttled_warning(stopped))
    if after.swapped_in_bytes > before.swapped_in_bytes:
        warnings.append("memory was swapped in while measuring: close other programs")
    return warnings + heat_warnings(after, heat)


def _of_sustained(run: SustainedRun | None, heat: Heat | None) -> list[str]:
    if run is None:
        return []
    blocks = blocks_of(run)
    counters = [(block.counters, block.blocks) for block in blocks]
    warnings = _counter_warnings(counters) + _of_states(run.before, run.after, heat)
    if run.resumed_at_s:
        times = ", ".join(f"{at_s:.0f} s" for at_s in run.resumed_at_s)
        warnings.append(
            f"the measurement was interrupted after {times} and resumed: the machine cooled down then; "
            "measure again, without a pause, to see how it behaves when it is hot"
        )
    drift = drift_of([block.p50_ns for block in blocks])
    if abs(drift) > _DRIFT:
        warnings.append(
            f"latency drifted by {drift:+.0%}: plan with the latency at which it settles, not with the median"
        )
    return [f"in the sustained run, {sentence}" for sentence in warnings]


def _of_precision(outcome: Completed, requested: Precision | None, origin: str) -> list[str]:
    """Warn if most of the work ran in another precision. `origin` says where the requested one is from."""
    if requested is None or outcome.executed is None:
        return []
    operators = outcome.executed.operators
    if requested is Precision.FP32:
        return _of_unknown_work(operators)
    if not operators:
        return [f"{requested.value} {origin}, and this runtime does not report which precision ran"]
    by_macs = share_of_macs(operators)
    shares, counted = (
        (by_macs, "multiply-accumulates") if by_macs else (share_of_operators(operators), "operators")
    )
    if shares is None or shares.get(requested.value, 0.0) >= _MOSTLY:
        return []
    ran = ", ".join(f"{share:.0%} in {name}" for name, share in shares.items())
    remedy = {
        Precision.FP16: "expect a smaller file at the speed of fp32, unless the device computes in fp16",
        Precision.INT8: "expect no gain of speed; 'evidence' says which operators ran in float",
    }
    return [f"{requested.value} {origin}, but the {counted} ran {ran}: {remedy[requested]}"]


def _of_unknown_work(operators: Sequence[Operator]) -> list[str]:
    """Warn if the graph does not show the shapes of all operators, so that the proof is not complete."""
    unknown = sum(operator.macs is None for operator in operators)
    if not unknown:
        return []
    sentence = (
        f"the shapes of {unknown} of {len(operators)} operators are not in the runtime's graph, so the share "
        "of the multiply-accumulates by precision is unknown; the share of the operators is in the report"
    )
    return [sentence]


def _of_places(outcome: Completed) -> list[str]:
    count = 0 if outcome.executed is None else outcome.executed.elsewhere
    if not count:
        return []
    return [f"{count} steps ran on another provider than the requested one; the latency includes the copies"]


def _of_kernels(outcome: Completed) -> list[str]:
    count = 0 if outcome.executed is None else outcome.executed.unaccelerated
    if not count:
        return []
    steps = "1 step was" if count == 1 else f"{count} steps were"
    sentence = (
        f"{steps} not taken by the runtime's library of fast kernels (XNNPACK), and computed by kernels of "
        "the runtime itself, which may be slow"
    )
    return [sentence]


def _of_proof(outcome: Completed) -> list[str]:
    if outcome.proof_failure is None:
        return []
    sentence = (
        "which precision ran is unknown, because the runtime's executed graph could not be read "
        f"({first_sentence(outcome.proof_failure)}): what was measured holds; trust the file's own precision"
    )
    return [sentence]


def _of_operators(
    outcome: Completed, requested: Precision | None, excluded_modules: Sequence[str]
) -> list[str]:
    """Warn about an int8 artifact with other operators in float than its recipe excludes."""
    if requested != Precision.INT8 or outcome.executed is None or not outcome.executed.operators:
        return []
    ran = [
        operator.name for operator in outcome.executed.operators if operator.precision != Precision.INT8.value
    ]
    if len(ran) == len(excluded_modules):
        return []
    names = ", ".join(ran[:_NAMES_SHOWN]) + (", …" if len(ran) > _NAMES_SHOWN else "")
    sentence = (
        f"{len(ran)} operators ran in float{f' ({names})' if ran else ''}, but the recipe excludes "
        f"{len(excluded_modules)} modules from int8: this runtime does not follow the recipe; use this row's "
        "figures, not the manifest's"
    )
    return [sentence]
