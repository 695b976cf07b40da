"""The reasons of the gate, one line each, with the number that matters first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.bundle.model_set import InputsRecord
from bench.gate.findings import Verdict
from bench.gate.timing_rules import TimeVerdict
from bench.report.schema import OutputComparison
from bench.statistics.accuracy import Paired
from bench.statistics.replication import Interval

MISSING = "the baseline has this case, and the candidate does not"
NEW = "the candidate has this case, and the baseline does not; nothing is compared"
EQUAL_FILES = "both sides have the same files, byte for byte; --skip-equal skips their measurement"
NO_NUMBERS = "neither side gives an output that consists of numbers, so no output is compared"
NOT_COMPARABLE = "not comparable: "
"""How the reason begins where nothing could be compared."""
NOT_DECIDED = "not decided: "
"""How the reason begins where nothing could be decided."""


def broke(reason: str | None) -> str:
    """Say that the baseline runs and the candidate does not."""
    return f"the baseline runs, and the candidate does not: {reason or 'no reason is known'}"


def fixed(reason: str | None) -> str:
    """Say that the candidate runs and the baseline does not."""
    return f"the candidate runs, and the baseline does not: {reason or 'no reason is known'}"


def runs_nowhere(baseline: str | None, candidate: str | None) -> str:
    """Say that neither side runs."""
    if baseline == candidate:
        return f"it runs on neither side: {baseline or 'no reason is known'}"
    reasons = (baseline or "no reason is known", candidate or "no reason is known")
    return "it runs on neither side (baseline: {}; candidate: {})".format(*reasons)


def of_time(judged: TimeVerdict, limit: float) -> str:
    """Return a time's ratio with its interval, and how it compares with its limit."""
    ratio, interval = judged.ratio, judged.interval
    figure = f"{ratio:.3f}× ({low_to_high(interval)})"
    reason = {
        Verdict.WORSE: f"slower by {ratio - 1:.1%}, the limit is {percent(limit)}",
        Verdict.BETTER: f"faster by {1 - ratio:.1%}",
        Verdict.SAME: f"within ±{percent(limit)}",
        Verdict.UNDECIDED: _undecided(interval, limit),
    }[judged.verdict]
    return f"{figure}, {reason}"


def _undecided(interval: Interval, limit: float) -> str:
    if interval.high <= 1 + limit:
        return f"not decided: within the limit of {percent(limit)}, and perhaps not slower at all"
    wide = f"the interval reaches {percent(interval.high - 1)} above the baseline"
    return f"not decided: {wide} and the limit is {percent(limit)}; measure longer"


def dropped(processes: int) -> str:
    """Say why a pair was dropped with too few processes for an interval."""
    return (
        f"{processes} processes of each side ran over their time, and their ratios differ widely, as they do "
        "while threads wait for a core, so this pair was dropped; end other programs, raise the CPU limit of "
        "the container, if there is one, or measure longer"
    )


def of_memory(before_mib: float, after_mib: float, limit: float, processes: int, confirmed: bool) -> str:
    """Return the candidate's peak, and how it compares with the baseline's."""
    grown = after_mib / before_mib - 1
    figure = f"peak {after_mib:.1f} MiB, was {before_mib:.1f} ({grown:+.1%}, limit {percent(limit)})"
    return figure + (f"; decided by a confirmation run of {processes} fresh processes" if confirmed else "")


@dataclass(frozen=True)
class OtherMachine:
    """How the machine of a candidate's report differs from the baseline's."""

    instructions: tuple[str, ...]
    """The instruction set extensions that only one of them has."""


def of_machine(machine: OtherMachine | None, verdict: Verdict) -> str:
    """Say why memory peaks of two machines are compared, or why a growth decides nothing."""
    if machine is None:
        return ""
    if not machine.instructions:
        return "; on another CPU, with the same instruction sets, runtime and options: peaks depend on these"
    if verdict is Verdict.SAME:
        return "; on another CPU, with other instruction sets"
    listed = ", ".join(machine.instructions)
    return (
        f"; the CPUs have other instruction sets ({listed}), by which a runtime chooses its buffers; measure "
        "both on one machine"
    )


def of_size(before: int, after: int, limit: float) -> str:
    """Return by how many bytes the files are larger or smaller."""
    if before == after:
        return f"{after} bytes, as before"
    change, unit = after - before, "byte" if abs(after - before) == 1 else "bytes"
    word = "larger" if change > 0 else "smaller"
    grown = f"{after / before - 1:+.3%}, limit {percent(limit)}"
    return f"{abs(change)} {unit} {word}: {after}, was {before} ({grown})"


def of_accuracy(paired: Paired, flips: int, limit: float, verdict: Verdict, noun: str = "images") -> str:
    """Return how many predictions changed, and what that means for accuracy. `noun`: what was classified."""
    if flips == 0:
        return f"the same class on all {paired.decisions} {noun}"
    retention = paired.retention
    change = paired.only_variant - paired.only_reference
    images = f"of {paired.decisions} {noun}"
    right = f"{abs(change)} {'more' if change > 0 else 'fewer'} right" if change else "as many right"
    lost = f"{paired.only_reference} newly wrong, {paired.only_variant} newly right"
    if retention is None:
        return f"the baseline is right on none {images}"
    p = f"two-sided p = {paired.mcnemar_p():.2g}" if change > 0 else f"p = {paired.loss_p():.2g}"
    figure = f"{flips} {images} changed class, {right} ({lost}; exact test {p})"
    is_open = verdict is Verdict.UNDECIDED and retention < limit
    decides = paired.images_to_detect() if is_open else None
    open_ = "" if decides is None else f"; at least {decides} images like these would decide it"
    return f"{figure}; {retention:.3f} of the baseline's accuracy, the limit is {limit:g}{open_}"


def other_outputs(candidate: Sequence[str], baseline: Sequence[str]) -> str:
    """Say that the two sides give different numbers of outputs."""
    names = (", ".join(candidate) or "none", ", ".join(baseline) or "none")
    return f"{len(candidate)} outputs ({names[0]}), was {len(baseline)} ({names[1]})"


def other_shape(name: str, shape: Sequence[int] | None, was: Sequence[int] | None) -> str:
    """Say that an output has another shape than the baseline's, or none: `was` of an output that is new."""
    before = "none" if was is None else _shape(was)
    if shape is None:
        return f"the output '{name}' has another number of values than the baseline's for the same input"
    return f"the output '{name}' has the shape {_shape(shape)}, was {before}"


def empty(name: str) -> str:
    """Say that an output has no values, so that there is nothing to compare."""
    return f"the output '{name}' has no values for any input, so nothing is compared"


def of_worst_output(name: str, outputs: int, differs: bool, sentence: str) -> str:
    """Say how many outputs were compared, and which of them a sentence is about."""
    return f"{sentence}; {outputs} outputs were compared" + (f", '{name}' differs most" if differs else "")


def of_equal_classes(
    comparison: OutputComparison,
    interval: Interval,
    limit: float,
    inputs: InputsRecord,
    classes: int,
    is_whole: bool,
) -> str:
    """Say that no item changed its class. `is_whole`: whether all values of the output were compared."""
    are_equal = is_whole and comparison.largest_difference == 0
    equal, figures = ("the same values", "") if are_equal else ("the same class", _figures(comparison))
    occur = f"{classes} class occurs" if classes == 1 else f"{classes} classes occur"
    few = f"; so few show no more than {interval.low:.1%}" if interval.low < limit else ""
    return f"{equal} on all {_items(comparison, inputs)} ({occur}){figures}{few}"


def of_one_class(comparison: OutputComparison, limit: float, inputs: InputsRecord) -> str:
    """Say that all items have one class on both sides, and that the values differ."""
    return (
        f"the same class on all {_items(comparison, inputs)}, but only one class occurs, and the values "
        f"differ{_figures(comparison)}, the limit is {limit:g} dB: not decided, compare other inputs"
    )


def of_flips(
    verdict: Verdict,
    comparison: OutputComparison,
    interval: Interval,
    limit: float,
    flips: int,
    inputs: InputsRecord,
) -> str:
    """Return how many items changed their class, and what that means for the limit."""
    changed = f"{flips} of {_items(comparison, inputs)} changed class"
    share = f"{comparison.agreement:.1%} the same ({interval.low:.1%} to {interval.high:.1%})"
    open_ = ": not decided, compare more inputs" if verdict is Verdict.UNDECIDED else ""
    return f"{changed}, {share}, the limit is {percent(limit)}{open_}{_figures(comparison)}"


def _items(comparison: OutputComparison, inputs: InputsRecord) -> str:
    """Return what was classified: the inputs, or the items of their batches."""
    return (
        inputs.words
        if comparison.items == inputs.inferences
        else f"{comparison.items} items of {inputs.words}"
    )


def equal_values(inputs: InputsRecord) -> str:
    """Say that both sides give the same values."""
    return f"the same values on {inputs.words}"


def no_longer_zero(comparison: OutputComparison, inputs: InputsRecord) -> str:
    """Say that the baseline gives only zeros, and the candidate does not."""
    largest = f"{comparison.largest_difference:.3g}"
    return f"the baseline gives only zeros on {inputs.words}, and the candidate differs by up to {largest}"


def of_values(comparison: OutputComparison, limit: float, inputs: InputsRecord) -> str:
    """Return how near the values are to the baseline's."""
    cosine = "" if comparison.cosine is None else f"cosine {comparison.cosine:.6f}, "
    return f"{cosine}SQNR {comparison.sqnr_db:.1f} dB, the limit is {limit:g} dB; on {inputs.words}"


def of_sample(compared: int, values: int) -> str:
    """Say how many values of a large output were compared."""
    return f", in {compared} of {values} values of each" if compared < values else ""


def weak_evidence(inputs: InputsRecord) -> str:
    """Say what classes of random inputs are worth."""
    return (
        f"classes were compared on {inputs.words}, which is weak evidence, because a network may give most "
        "random inputs one class; give real ones with --data"
    )


def _figures(comparison: OutputComparison) -> str:
    cosine, sqnr = comparison.cosine, comparison.sqnr_db
    figures = [] if cosine is None else [f"cosine {cosine:.6f}"]
    figures += [] if sqnr is None else [f"SQNR {sqnr:.1f} dB"]
    return f"; {', '.join(figures)}" if figures else ""


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def low_to_high(interval: Interval) -> str:
    """Write the two ends of an interval."""
    return f"{interval.low:.3f} to {interval.high:.3f}"


def percent(share: float) -> str:
    """Write a share as a percentage with up to three digits."""
    return f"{share * 100:.3g} %"
