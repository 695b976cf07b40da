"""The worst finding of a check in one sentence: by how much, how sure, and what to do about it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from textwrap import shorten

from bench.gate.document import Checked
from bench.gate.findings import SHARE_SAME, Finding, Quantity, Verdict
from bench.gate.reasons import percent
from bench.report.schema import BundleRecord
from bench.units import mib

# What harms most comes first; of one quantity, the largest change. A quantity that is not here comes last.
WORST_FIRST = (
    Quantity.RECALL,
    Quantity.ACCURACY,
    Quantity.OUTPUTS,
    Quantity.CASE,
    Quantity.LATENCY,
    Quantity.LOAD_TIME,
    Quantity.MEMORY,
    Quantity.SIZE,
)
_TIMES = (Quantity.LATENCY, Quantity.LOAD_TIME)
_ANSWERS = (Quantity.RECALL, Quantity.ACCURACY)
_LIMITS = {
    Quantity.RECALL: "lower --min-retention",
    Quantity.ACCURACY: "lower --min-retention",
    Quantity.LATENCY: "raise --max-slowdown",
    Quantity.LOAD_TIME: "raise --max-load-slowdown",
    Quantity.MEMORY: "raise --max-memory-growth",
    Quantity.SIZE: "raise --max-growth",
}
_LONGEST_REASON = 70
_LONGEST_NAME = 30


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of the harm: what is undecided comes after everything else."""
    return sorted(findings, key=_harm)


def case_name(finding: Finding, checked: Checked) -> str:
    """Return the case of a finding. Its provenance is added unless that is `measured`."""
    provenance = checked.conditions.provenance
    return finding.case if provenance == "measured" else f"{finding.case} ({provenance})"


def _harm(finding: Finding) -> tuple[bool, int, bool, float]:
    quantity = finding.quantity
    rank = WORST_FIRST.index(quantity) if quantity in WORST_FIRST else len(WORST_FIRST)
    if quantity is Quantity.OUTPUTS:
        size = finding.candidate
    elif quantity in _ANSWERS or finding.ratio is None:
        size = finding.ratio
    else:
        size = -finding.ratio
    return (
        finding.verdict is Verdict.UNDECIDED,
        rank,
        not finding.is_positive,
        0.0 if size is None else size,
    )


def said(finding: Finding, checked: Checked) -> str:
    """Return what a finding that blocks says: the case, by how much, how sure, and the limit."""
    case = case_name(finding, checked)
    if finding.verdict is Verdict.UNDECIDED:
        figures = _sure(finding) if finding.quantity in _TIMES else ""
        bounds = f" ({figures}; {_limit(finding)})" if figures else ""
        if finding.quantity is Quantity.RECALL:
            return f"{case} may miss {class_in_quotes(finding)} ({missed(finding)}, too few to decide)"
        return f"the {finding.quantity.value} of {case} is undecided{bounds}"
    phrase = _PHRASES.get(finding.quantity)
    if phrase is None or (finding.quantity is not Quantity.CASE and finding.limit is None):
        reason = shortened(finding.sentence)
        return f"{case} {finding.quantity.value} {finding.verdict.value}: {reason}"
    return phrase(case, finding, _processes(finding, checked))


def _of_latency(case: str, finding: Finding, processes: str) -> str:
    return f"{case} is {_grown(finding)} slower ({_sure(finding)}{processes}; {_limit(finding)})"


def _of_load_time(case: str, finding: Finding, processes: str) -> str:
    return f"{case} loads {_grown(finding)} slower ({_sure(finding)}{processes}; {_limit(finding)})"


def _of_memory(case: str, finding: Finding, processes: str) -> str:
    before, after = (f"{mib(value or 0):.1f}" for value in (finding.baseline, finding.candidate))
    figures = f"peak {after} MiB, was {before}{processes}; {_limit(finding)}"
    return f"{case} needs {_grown(finding)} more memory ({figures})"


def _of_size(case: str, finding: Finding, _: str) -> str:
    before, after = finding.baseline or 0, finding.candidate or 0
    figures = f"{after:.0f} bytes, was {before:.0f}; {_limit(finding)}"
    return f"{case} is {percent((finding.ratio or 1) - 1)} larger ({figures})"


def _of_accuracy(case: str, finding: Finding, _: str) -> str:
    before, after = (_in_percent(value or 0) for value in (finding.baseline, finding.candidate))
    interval = "" if finding.interval is None else "{:.3f} to {:.3f} of that".format(*finding.interval)
    figures = f"{_confidence(finding, interval)}limit {finding.limit:g}"
    return f"{case} has {after} accuracy, was {before} ({figures})"


def _of_recall(case: str, finding: Finding, _: str) -> str:
    before, after = (_in_percent(value or 0) for value in (finding.baseline, finding.candidate))
    figures = f"recall {after}, was {before}{_p_value(finding)}"
    return f"{case} misses {class_in_quotes(finding)} ({figures})"


def class_in_quotes(finding: Finding) -> str:
    """Return the name of a recall's class; a long one is cut in the middle."""
    name = finding.class_name or ""
    cut = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 8]}…{name[-7:]}"
    return f"'{cut}'"


def missed(finding: Finding) -> str:
    """Return how many images of a recall's class are newly missed."""
    return f"{finding.newly_missed} of {finding.images} images newly missed"


def _p_value(finding: Finding) -> str:
    return "" if finding.p is None else f", p = {finding.p:.2g}"


def _of_outputs(case: str, finding: Finding, _: str) -> str:
    if finding.unit != SHARE_SAME:
        sqnr = "none" if finding.candidate is None else f"{finding.candidate:.0f} dB"
        return f"{case} gives other values (SQNR {sqnr}; limit {finding.limit:g} dB)"
    ends = () if finding.interval is None else finding.interval
    interval = _confidence(finding, " to ".join(map(_in_percent, ends)))
    share = _in_percent(finding.candidate or 0)
    return f"{case} gives the baseline's class for {share} of inputs ({interval}{_limit(finding)})"


def _in_percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _confidence(finding: Finding, interval: str) -> str:
    return f"{percent(finding.confidence or 0.95)} interval {interval}; " if interval else ""


def _of_case(case: str, finding: Finding, _: str) -> str:
    word = "broke" if finding.verdict is Verdict.BROKE else "is missing"
    return f"{case} {word}: {shortened(finding.sentence)}"


_PHRASES: Mapping[Quantity, Callable[[str, Finding, str], str]] = {
    Quantity.CASE: _of_case,
    Quantity.LATENCY: _of_latency,
    Quantity.LOAD_TIME: _of_load_time,
    Quantity.MEMORY: _of_memory,
    Quantity.SIZE: _of_size,
    Quantity.ACCURACY: _of_accuracy,
    Quantity.RECALL: _of_recall,
    Quantity.OUTPUTS: _of_outputs,
}


def _grown(finding: Finding) -> str:
    return f"{_points((finding.ratio or 1) - 1)} %"


def _points(share: float) -> str:
    """Write a share in per cent: with a digit after the point below 10."""
    return f"{share * 100:.{1 if abs(share) < 0.0995 else 0}f}"


def _sure(finding: Finding) -> str:
    """Return the interval of a time's change in per cent."""
    if finding.interval is None or finding.confidence is None:
        return "no interval"
    low, high = (_points(end - 1) for end in finding.interval)
    return f"{percent(finding.confidence)} interval {low} to {high} %"


def _limit(finding: Finding) -> str:
    return f"limit {percent(finding.limit or 0)}"


def _processes(finding: Finding, checked: Checked) -> str:
    """Return in how many fresh processes of each side a time was measured, or that memory was confirmed."""
    count = sum(pair.case == finding.case for pair in checked.raw)
    if count and finding.quantity in _TIMES:
        return f", in {count} processes"
    return ", confirmed" if finding.confirmed else ""


def remedy(finding: Finding, checked: Checked) -> str:
    """Return what to do about the worst finding."""
    if finding.verdict is Verdict.UNDECIDED:
        return f"{how_to_decide(finding, checked)} to decide more"
    if finding.quantity is Quantity.CASE:
        is_bundle = isinstance(checked.candidate, BundleRecord)
        return "Repair it, or leave it out with --only" if is_bundle else "Repair the file"
    limit = _LIMITS.get(finding.quantity)
    if finding.quantity is Quantity.OUTPUTS and finding.unit is not None:
        limit = "lower --min-agreement" if finding.unit == SHARE_SAME else "lower --min-sqnr"
    first = f"{decide_latencies(checked)} instead" if _is_of_another_day(finding, checked) else "Fix it"
    return first if limit is None else f"{first}, or {limit} if meant"


def _is_of_another_day(finding: Finding, checked: Checked) -> bool:
    """Tell whether a time is that of two reports, which were measured one after the other."""
    return checked.compared == "reports" and finding.quantity in _TIMES


def how_to_decide(finding: Finding, checked: Checked) -> str:
    """Return what would decide an undecided finding."""
    if finding.quantity is Quantity.ACCURACY and (finding.ratio or 0) > 1:
        return "Look at the images that changed"
    if finding.quantity in (*_ANSWERS, Quantity.OUTPUTS):
        return f"Compare more {'images' if finding.quantity in _ANSWERS else 'inputs'}"
    return decide_latencies(checked)


def decide_latencies(checked: Checked) -> str:
    """Return what decides more about latencies than this check: measuring together, or for longer."""
    if checked.compared != "reports":
        return "Measure longer"
    return f"Check the two {'bundles' if isinstance(checked.candidate, BundleRecord) else 'model files'}"


def shortened(text: str) -> str:
    """Return the beginning of a reason, so that it fits into a headline."""
    return shorten(text, _LONGEST_REASON, placeholder=" …")
