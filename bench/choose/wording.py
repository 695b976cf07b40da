"""How a choice says what it chose and why: figures with their conditions, and the reasons against. Pure."""

from collections.abc import Sequence

from bench.bundle.variants import Precision
from bench.choose.candidates import Candidate
from bench.choose.comparing import Comparison, Preference
from bench.choose.violations import Kept
from bench.runtimes.providers import place_of
from device_profiles.facts import multiplies_int8_fast

_HARDLY_FASTER = 0.9


def figures(one: Candidate, accuracy: Kept) -> str:
    """Say what a row has, each number with its conditions."""
    run, latency = one.run, one.latency
    p95 = "" if latency.p95 is None else f", p95 {latency.p95:.3g}"
    threads = f"{run.threads} thread{'s' if run.threads > 1 else ''}"
    time = f"p50 {latency.p50:.3g} ms{p95} ({threads}, batch 1, {run.provenance}"
    if run.provenance == "proxy":
        time += f" on {one.report.host.cpu}"
        if run.projected_ms is not None:
            time += f"; projected {_ms(run.projected_ms.low)} to {_ms(run.projected_ms.high)} ms"
    energy = "" if one.energy_mj is None else f", {one.energy_mj:.3g} mJ"
    retention = f", {accuracy.sentence}" if accuracy.is_shown and accuracy.sentence else ""
    return f"{time}), {one.memory_mb:.0f} MiB, {one.size_mb:.2f} MB{energy}{retention}"


def _ms(value: float) -> str:
    """Write the end of a projected range with two digits, or whole: it is no more exact."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def why_first(pick: Candidate, tied: Sequence[Candidate]) -> str:
    """Say by what the pick is the first of those that tie."""
    others = [one for one in tied if one is not pick]
    if all((one.run.size_bytes or 0) > (pick.run.size_bytes or 0) for one in others):
        return "the smallest"
    if all(one.top1 < pick.top1 for one in others if one.run.size_bytes == pick.run.size_bytes):
        return "the smallest and the most accurate"
    return "the one in fp32" if precision(pick) is Precision.FP32 else "the first by name"


def tie_lost(one: Candidate, pick: Candidate) -> str:
    """Say by what the pick wins a tie."""
    if (one.run.size_bytes or 0) > (pick.run.size_bytes or 0):
        return f"larger ({one.size_mb:.2f} MB, {pick.name} has {pick.size_mb:.2f})"
    if one.top1 < pick.top1:
        return f"less accurate ({one.top1:.3f}, {pick.name} has {pick.top1:.3f})"
    if precision(pick) is Precision.FP32 and precision(one) is not Precision.FP32:
        return "not fp32"
    return f"behind {pick.name} by name alone"


def precision(one: Candidate) -> Precision | None:
    """Return the precision that its artifact was asked to have."""
    return None if one.run.precision_ran is None else one.run.precision_ran.requested


def ratio(comparison: Comparison, prefer: Preference) -> str:
    """Say how a row stands to the pick in what is preferred."""
    if prefer is Preference.ACCURACY:
        found = f"{1 / comparison.ratio if comparison.ratio else 0:.3f}× the accuracy"
        ends = (
            None
            if comparison.interval is None
            else (1 / comparison.interval.high, 1 / comparison.interval.low)
        )
    else:
        found = f"{comparison.ratio:.2f}× the {prefer.value}"
        ends = None if comparison.interval is None else (comparison.interval.low, comparison.interval.high)
    if ends is None or comparison.is_single:
        return found
    return f"{found}, interval {ends[0]:.2f} to {ends[1]:.2f}"


def without_dot_product(one: Candidate) -> str:
    """Say why int8 gains nothing on a CPU without instructions for it."""
    if place_of(one.run.provider) != "cpu" or precision(one) is not Precision.INT8:
        return ""
    if multiplies_int8_fast(one.report.host.cpu_features):
        return ""
    relative_to_fp32 = one.run.relative_to_fp32
    return (
        ", no dot product on this CPU"
        if relative_to_fp32 is not None and relative_to_fp32 > _HARDLY_FASTER
        else ""
    )
