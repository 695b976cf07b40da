"""How the gate says what it found: one line each, the number that matters first. Pure."""

from bench.gate.findings import Verdict
from bench.gate.judging import LOSS_ERROR, Judged
from bench.statistics.accuracy import Paired
from bench.statistics.replication import Interval

MISSING = "the baseline has it and the candidate has not"
NEW = "the candidate has it and the baseline has not, so that nothing is compared"
EQUAL_FILES = "the same files, byte for byte, which --skip-equal leaves unmeasured"
_FRESH = "; measured again with fresh processes, which alone decide"


def broke(reason: str | None) -> str:
    """Say that the baseline runs and the candidate does not."""
    return f"the baseline runs and the candidate does not: {reason or 'no reason is known'}"


def fixed(reason: str | None) -> str:
    """Say that the candidate runs and the baseline does not."""
    return f"the candidate runs, and the baseline does not: {reason or 'no reason is known'}"


def runs_nowhere(baseline: str | None, candidate: str | None) -> str:
    """Say that neither side runs."""
    if baseline == candidate:
        return f"runs on neither side: {baseline or 'no reason is known'}"
    return f"runs on neither side: baseline: {baseline}; candidate: {candidate}"


def of_time(judged: Judged, limit: float, confirmed: bool) -> str:
    """Say how a time's ratio stands to its limit."""
    found = f"{judged.ratio:.3f}× ({reach(judged.interval)})"
    said = {
        Verdict.WORSE: f"slower by {judged.ratio - 1:.1%}, the limit is {percent(limit)}",
        Verdict.BETTER: f"faster by {1 - judged.ratio:.1%}",
        Verdict.SAME: f"within ±{percent(limit)}",
        Verdict.UNDECIDED: _undecided(judged, limit),
    }[judged.verdict]
    return f"{found}, {said}" + (_FRESH if confirmed else "")


def _undecided(judged: Judged, limit: float) -> str:
    upper = judged.interval.high
    if upper <= 1 + limit:
        return f"not decided: no slower than the limit of {percent(limit)}, and by how much faster is open"
    wide = f"the interval reaches {percent(upper - 1)} above the baseline"
    return f"not decided: {wide} and the limit is {percent(limit)}; measure longer"


def given_up(processes: int) -> str:
    """Say that a pair took long for ratios that lie far apart, and has too few processes for an interval."""
    return (
        f"given up: {processes} processes of each took long, and their ratios lie far apart, as where "
        "threads wait for a core; end other work, or measure longer"
    )


def of_memory(before_mib: float, after_mib: float, limit: float, processes: int, confirmed: bool) -> str:
    """Say how the peak stands to that of the baseline."""
    grown = after_mib / before_mib - 1
    found = f"peak {after_mib:.1f} MiB, was {before_mib:.1f} ({grown:+.1%}, limit {percent(limit)})"
    return found + (f"; {processes} fresh processes each, which alone decide" if confirmed else "")


def of_size(before: int, after: int, limit: float) -> str:
    """Say how many bytes larger or smaller the files are."""
    if before == after:
        return f"{after} bytes, as before"
    change, unit = after - before, "byte" if abs(after - before) == 1 else "bytes"
    word = "larger" if change > 0 else "smaller"
    grown = f"{after / before - 1:+.3%}, limit {percent(limit)}"
    return f"{abs(change)} {unit} {word}: {after}, was {before} ({grown})"


def of_accuracy(paired: Paired, flips: int, limit: float) -> str:
    """Say which answers changed and what that is worth."""
    if flips == 0:
        return f"the same class on all {paired.images} images"
    kept, p = paired.retention, paired.mcnemar_p()
    change = paired.only_variant - paired.only_reference
    of = f"of {paired.images} images"
    right = f"{abs(change)} {'more' if change > 0 else 'fewer'} right" if change else "as many right"
    lost = f"{paired.only_reference} newly wrong, {paired.only_variant} newly right"
    if kept is None:
        return f"the baseline is right on none {of}"
    found = f"{flips} {of} changed class, {right} ({lost}; exact test p = {p:.2g})"
    decides = paired.images_to_decide(limit) if kept < limit and paired.loss_p() > LOSS_ERROR else None
    open_ = "" if decides is None else f"; {decides} images like these would decide it"
    return f"{found}; {kept:.3f} of the baseline's accuracy, the limit is {limit:g}{open_}"


def reach(interval: Interval) -> str:
    """Write an interval's two ends."""
    return f"{interval.low:.3f} to {interval.high:.3f}"


def percent(share: float) -> str:
    """Write a share as a percentage, with as many digits as it has."""
    return f"{share * 100:.3g} %"
