"""The sentences of a choice: figures with their conditions, and the reasons against candidates. Pure."""

import math
from collections.abc import Mapping, Sequence

from bench.bundle.variants import Precision
from bench.choose.candidates import Candidate, JudgedBy
from bench.choose.comparing import Comparison, Preference
from bench.report.retention import RetentionCheck
from bench.runtimes.providers import place_of
from bench.statistics.latency import Latency
from bench.units import mb, mib, ms, written
from device_profiles.facts import multiplies_int8_fast

_HARDLY_FASTER = 0.9
_LESS: Mapping[JudgedBy, str] = {
    "accuracy": "less accurate",
    "agreement": "agrees less with the {}",
    "SQNR": "farther from the {}",
    "nothing": "less accurate",
}


def figures(candidate: Candidate, accuracy: RetentionCheck) -> str:
    """Return a candidate's figures, each with its conditions."""
    run, latency = candidate.run, candidate.latency
    p95 = "" if latency.p95_ns is None else f", p95 {ms(latency.p95_ns):.3g}"
    p50 = f"p50 {ms(latency.p50_ns):.3g} ms"
    if (ends := _interval(latency)) is not None:
        p50 += f" ({ends})"
    time = f"{p50}{p95} ({run.config.label}, {run.provenance}"
    if run.provenance == "proxy":
        time += f" on {candidate.report.host.cpu}"
        if run.projected is not None:
            time += f"; projected {_ms(run.projected.low_ns)} to {_ms(run.projected.high_ns)} ms"
    energy = "" if candidate.energy_mj is None else f", {candidate.energy_mj:.3g} mJ"
    retention = f", {accuracy.sentence}" if accuracy.is_shown and accuracy.sentence else ""
    bytes_ = f"{mib(candidate.memory_bytes):.0f} MiB, {written(mb(candidate.size_bytes), 2)} MB"
    return f"{time}), {bytes_}{energy}{retention}"


def latency_figure(candidate: Candidate, has_interval: bool = True) -> str:
    """Return a latency in a few words; `has_interval`: with the interval of the median, if there is one."""
    if candidate.is_projected and candidate.run.projected is not None:
        return f"projected {_ms(candidate.run.projected.low_ns)} to {_ms(candidate.run.projected.high_ns)} ms"
    ends = _interval(candidate.latency) if has_interval else None
    about = candidate.run.provenance if ends is None else f"{ends}, {candidate.run.provenance}"
    return f"p50 {ms(candidate.latency.p50_ns):.3g} ms ({about})"


def _interval(latency: Latency) -> str | None:
    if latency.p50_ci95_ns is None:
        return None
    low, high = latency.p50_ci95_ns
    return f"{ms(low):.3g} to {ms(high):.3g}"


def _ms(ns: float) -> str:
    """Write a bound in ms with two digits, or as a whole number: a range is not more exact."""
    value = ms(ns)
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def why_first(chosen: Candidate, tied: Sequence[Candidate]) -> str:
    """Return what sets the chosen candidate apart from those that tie with it."""
    others = [other for other in tied if other is not chosen]
    if all(other.size_bytes > chosen.size_bytes for other in others):
        return "the smallest"
    equal = [other for other in others if other.size_bytes == chosen.size_bytes]
    if not chosen.disagrees and equal and all(other.disagrees for other in equal):
        return "the smallest whose outputs agree with the reference's"
    if all(other.quality < chosen.quality for other in equal):
        best = "most accurate" if chosen.judged_by == "accuracy" else f"nearest to the {chosen.reference}"
        return f"the smallest and the {best}"
    return "the one in fp32" if chosen.run.precision is Precision.FP32 else "the first by name"


def tie_lost(candidate: Candidate, chosen: Candidate) -> str:
    """Return why a candidate that ties is not chosen."""
    if candidate.size_bytes > chosen.size_bytes:
        here, there = (written(mb(row.size_bytes), 2) for row in (candidate, chosen))
        return f"larger ({here} MB, {chosen.name} has {there})"
    if candidate.disagrees and not chosen.disagrees:
        return "its outputs differ from the reference's"
    if candidate.quality < chosen.quality:
        word = _LESS[candidate.judged_by].format(candidate.reference)
        here, there = (_quality(row) for row in (candidate, chosen))
        return f"{word} ({here}, {chosen.name} has {there})"
    if chosen.run.precision is Precision.FP32 and candidate.run.precision is not Precision.FP32:
        return "not fp32"
    return f"after {chosen.name} in alphabetical order"


def _quality(candidate: Candidate) -> str:
    if candidate.judged_by != "SQNR":
        return f"{candidate.quality:.3f}"
    return "no error" if candidate.quality == math.inf else f"{candidate.quality:.1f} dB"


def ratio(comparison: Comparison, prefer: Preference) -> str:
    """Return a candidate's ratio to the choice in the preferred quantity."""
    if prefer is Preference.ACCURACY:
        figure = f"{1 / comparison.ratio if comparison.ratio else 0:.3f}× the accuracy"
        ends = (
            None
            if comparison.interval is None
            else (1 / comparison.interval.high, 1 / comparison.interval.low)
        )
    else:
        figure = f"{comparison.ratio:.2f}× the {prefer.value}"
        ends = None if comparison.interval is None else (comparison.interval.low, comparison.interval.high)
    if ends is None or comparison.is_exact:
        return figure
    return f"{figure}, interval {ends[0]:.2f} to {ends[1]:.2f}"


def without_dot_product(candidate: Candidate) -> str:
    """Return why int8 is not faster, on a CPU without instructions for it."""
    if place_of(candidate.run.config.provider) != "cpu" or candidate.run.precision is not Precision.INT8:
        return ""
    if multiplies_int8_fast(candidate.report.host.cpu_features):
        return ""
    relative = candidate.summary.relative_to_fp32
    return (
        ", this CPU has no int8 dot product"
        if relative is not None and relative.ratio > _HARDLY_FASTER
        else ""
    )
