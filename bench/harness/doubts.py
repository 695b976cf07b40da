"""What makes a measurement doubtful, in words with a remedy. Pure: values in, sentences out.

Of a machine before a run, and of a row after it.
"""

from collections.abc import Sequence

from bench.machine.heat import throttled_now, throttled_since_boot
from bench.machine.host import Host
from bench.machine.state import HostState
from bench.measurements import Block, Completed, End, RoundState
from bench.statistics.precision import share_of_macs, share_of_operators
from bench.statistics.replication import median_interval
from bench.statistics.steadiness import drift_of, spread_of
from bench.variants import Precision
from device_profiles.profile import Sampling

_BUSY_SHARE = 0.1
_STEAL_SHARE = 0.02
_LITTLE_MEMORY = 1 << 30
_HOT_C = 80.0
_SPREAD = 0.1
_DRIFT = 0.05
_CLOCK_CHANGE = 0.05
_MOSTLY = 0.5
# Ticks of 10 ms say little of less.
_SHORTEST_ACCOUNT_NS = 500_000_000


def doubts_of(host: Host, state: HostState) -> list[str]:
    """Return a sentence for each thing about this machine that will disturb a measurement."""
    found = []
    if state.busy_share > _BUSY_SHARE:
        found.append(f"other work uses {state.busy_share:.0%} of the CPUs: end it, or trust ratios only")
    if state.steal_share > _STEAL_SHARE:
        found.append(_of_steal(state.steal_share))
    if host.governor in ("powersave", "conservative", "ondemand", "schedutil"):
        found.append(
            f"the clock governor is '{host.governor}', so clocks change under load:"
            " sudo cpupower frequency-set -g performance"
        )
    if state.on_battery:
        found.append("the machine runs on battery, which slows it down: plug it in")
    if state.swap_used_bytes and state.available_bytes < _LITTLE_MEMORY:
        found.append("memory is short and swap is in use: close other programs")
    return found + _of_heat(state)


def _of_steal(share: float) -> str:
    return (
        f"the hypervisor gave {share:.0%} of these CPUs' time to other machines: trust ratios only,"
        " or measure on a machine of your own"
    )


def _of_heat(state: HostState) -> list[str]:
    found = []
    if state.throttled_bits and (now := throttled_now(state.throttled_bits)):
        found.append(f"the board slows itself down ({', '.join(now)}): cool it, and use its own power supply")
    elif state.throttled_bits and (before := throttled_since_boot(state.throttled_bits)):
        found.append(
            f"the board has slowed itself down since it booted ({', '.join(before)}):"
            " check cooling and power supply"
        )
    hottest = max(state.temperatures.items(), key=lambda zone: zone[1], default=("", 0.0))
    if hottest[1] >= _HOT_C:
        found.append(f"{hottest[0]} is at {hottest[1]:.0f} °C, near where chips slow down: let it cool first")
    return found


def doubts_of_row(outcome: Completed, requested: Precision | None, sampling: Sampling) -> list[str]:
    """Return a sentence for each reason to doubt a completed case."""
    blocks = [block for process in outcome.processes for block in process.blocks]
    return [
        *_of_samples(outcome, blocks, sampling),
        *_of_surroundings(blocks),
        *_of_rounds(outcome.telemetry),
        *_of_precision(outcome, requested),
    ]


def _of_samples(outcome: Completed, blocks: Sequence[Block], sampling: Sampling) -> list[str]:
    found = []
    samples = [ns for block in blocks for ns in block.ns]
    if (spread := spread_of(samples)) > _SPREAD:
        found.append(
            f"latencies spread over {spread:.0%} of their median (from p10 to p90): the machine changes its "
            "speed; close other programs, or trust ratios rather than milliseconds"
        )
    in_order = sorted(blocks, key=lambda block: block.turn)
    drift = drift_of([sum(block.ns) / len(block.ns) for block in in_order])
    if abs(drift) > _DRIFT:
        found.append(
            f"latency drifted by {drift:+.0%} from the first third of the turns to the last: measure again, "
            "or see where it settles with --sustained 60"
        )
    found += _of_interval(outcome, samples, sampling)
    restless = sum(not process.steady for process in outcome.processes)
    if restless:
        found.append(
            f"{restless} of {len(outcome.processes)} processes were not steady when warm-up ended: "
            "raise 'warm_up' in the profile, or close other programs"
        )
    if len({(process.wave, process.round) for process in outcome.processes}) < len(outcome.processes):
        found.append("the run was cut off and resumed: one round has two processes, which is all it costs")
    return found


def _of_interval(outcome: Completed, samples: Sequence[int], sampling: Sampling) -> list[str]:
    if outcome.ended is End.FEW:
        return []
    count = len(outcome.processes)
    medians = [_median([ns for block in process.blocks for ns in block.ns]) for process in outcome.processes]
    interval = median_interval(_median(samples), medians)
    if interval is None:
        return [f"no interval of the median: {count} processes are too few; give 'looks' of 5 or more"]
    if interval.half_width <= sampling.interval:
        return []
    sentence = (
        f"the median is known to ±{interval.half_width:.1%} only, not to the ±{sampling.interval:.0%} asked "
        f"for ({count} processes, then {outcome.ended.value}): raise 'looks' and 'time_limit_s' in the "
        "profile, or quieten the machine"
    )
    return [sentence]


def _median(values: Sequence[int]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _of_surroundings(blocks: Sequence[Block]) -> list[str]:
    found = []
    watched = [block.surroundings for block in blocks if block.surroundings is not None]
    counted = [one for one in watched if one.busy_ns is not None and one.steal_ns is not None]
    elapsed = sum(one.elapsed_ns for one in counted)
    if elapsed >= _SHORTEST_ACCOUNT_NS:
        others = sum((one.busy_ns or 0) - one.cpu_ns for one in counted) / elapsed
        steal = sum(one.steal_ns or 0 for one in counted) / elapsed
        if others > _BUSY_SHARE:
            found.append(
                f"other processes used {others:.2f} CPUs' worth of the CPUs it was pinned to: end them"
            )
        if steal > _STEAL_SHARE:
            found.append(_of_steal(steal))
    clocks = [one.clock_khz for one in watched if one.clock_khz is not None]
    if clocks and max(clocks) > (1 + _CLOCK_CHANGE) * min(clocks):
        found.append(
            f"the clock moved between {min(clocks) / 1e6:.2f} and {max(clocks) / 1e6:.2f} GHz: "
            "sudo cpupower frequency-set -g performance, and cool the machine"
        )
    return found


def _of_rounds(states: Sequence[RoundState]) -> list[str]:
    if not states:
        return []
    before, after = states[0].before, states[-1].after
    grown = [
        name
        for name, count in after.throttle_counts.items()
        if count > before.throttle_counts.get(name, count)
    ]
    found = []
    if grown:
        found.append(f"the machine slowed itself down while measuring ({', '.join(grown)}): cool it")
    if after.swapped_in_bytes > before.swapped_in_bytes:
        found.append("memory came back from swap while measuring: close other programs")
    return found + _of_heat(after)


def _of_precision(outcome: Completed, requested: Precision | None) -> list[str]:
    if requested not in (Precision.INT8, Precision.FP16) or outcome.executed is None:
        return []
    operators = outcome.executed.operators
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
