"""The result of a check in at most two sentences: what is worse, by how much, how sure, and what to do.

With nothing worse it says what was compared, and what is undecided. Every output of a check shows this one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.gate.blocking import BLOCKED, NOTHING_COMPARABLE
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.reasons import NOT_COMPARABLE, NOT_DECIDED, percent
from bench.gate.worst_finding import (
    case_name,
    class_in_quotes,
    decide_latencies,
    how_to_decide,
    missed,
    remedy,
    said,
    shortened,
    worst_first,
)
from bench.report.schema import BundleRecord

# How a condition that differs is written: its name, its value, and what it was.
_WAS = ", was "
_OF_CONTROL = "control workload's "
_MOST_CONDITIONS = 3
_NAME = re.compile(r" (?:'|none, was )")
_TIMES = (Quantity.LATENCY, Quantity.LOAD_TIME)
_PLURALS = {
    Quantity.LATENCY: ("latency", "latencies"),
    Quantity.LOAD_TIME: ("load time", "load times"),
    Quantity.MEMORY: ("memory peak", "memory peaks"),
    Quantity.SIZE: ("size", "sizes"),
    Quantity.ACCURACY: ("accuracy", "accuracies"),
    Quantity.RECALL: ("recall of a class", "recalls of classes"),
    Quantity.OUTPUTS: ("case's outputs", "cases' outputs"),
}


def headline(checked: Checked) -> str:
    """Return the result of a check in at most two sentences."""
    if checked.exit_code == BLOCKED:
        return _blocked(checked)
    return _without_latency(checked) if checked.exit_code == NOTHING_COMPARABLE else _passed(checked)


def row_noun(checked: Checked) -> str:
    """Return what is compared: a variant of a bundle, or a model."""
    return "variant" if isinstance(checked.candidate, BundleRecord) else "model"


def _blocked(checked: Checked) -> str:
    worst, *others = worst_first(checked.blocking)
    more = f", and {len(others)} more" if others else ""
    is_open = bool(_latencies(checked)) and not _compared_cases(checked)[Quantity.LATENCY]
    open_ = "; no latency compared" if is_open else ""
    by = " by --strict" if worst.verdict is Verdict.UNDECIDED else ""
    return f"BLOCKED{by}: {said(worst, checked)}{more}{open_}. {remedy(worst, checked)}."


def _passed(checked: Checked) -> str:
    cases = _cases(checked)
    same = [case for case, findings in cases.items() if _is_equal(findings)]
    judged = [
        case_name(findings[0], checked)
        for findings in cases.values()
        if findings[0].quantity is not Quantity.CASE
    ]
    if not judged:
        clauses = [f"the files of {_counted(len(same), row_noun(checked))} are equal, byte for byte"]
    else:
        quantities = _coverage(checked, len(judged))
        subject = judged[0] if len(judged) == 1 else _counted(len(judged), row_noun(checked))
        of_all = f"nothing of {subject} is worse ({quantities})"
        clauses = [of_all, *_of_latencies(checked), *_others(checked)]
        clauses += [f"{len(same)} with equal files"] if same else []
    clauses += _of_other_cases(cases.values())
    undecided = worst_first(finding for finding in checked.findings if finding.verdict is Verdict.UNDECIDED)
    remedy = f". {how_to_decide(undecided[0], checked)} to decide more." if undecided else ""
    return f"PASSED: {'; '.join(clauses)}{remedy}"


def _coverage(checked: Checked, cases: int) -> str:
    """Return which quantities were compared, and of how many cases where that is not all of them."""
    counts = _compared_cases(checked)
    return ", ".join(
        quantity.value if counts[quantity] >= cases else f"{quantity.value} of {counts[quantity]}"
        for quantity in Quantity
        if counts[quantity] and quantity is not Quantity.RECALL  # the recalls are a part of the accuracy
    )


def _of_latencies(checked: Checked) -> list[str]:
    """Return how many latencies are the same, better and undecided, as one clause."""
    counts = Counter(finding.verdict for finding in _latencies(checked))
    limit = percent(checked.limits.max_slowdown)
    words = {
        Verdict.SAME: f"within {limit}",
        Verdict.BETTER: "faster",
        Verdict.UNDECIDED: "undecided",
    }
    known = [(counts[verdict], word) for verdict, word in words.items() if counts[verdict]]
    if not known:
        return []
    (first, first_word), *others = known
    verb = "is" if first == 1 else "are"
    clause = f"{_number(first, Quantity.LATENCY)} {verb} {first_word}"
    return [", ".join([clause, *(f"{count} {word}" for count, word in others)])]


def _others(checked: Checked) -> list[str]:
    """Return the other quantities that got better, are undecided, or could not be compared."""
    kinds = (("better", Verdict.BETTER), ("undecided", Verdict.UNDECIDED))
    clauses = [(word, _numbers(checked, verdict, {Quantity.LATENCY})) for word, verdict in kinds]
    clauses.append(("not comparable", _numbers(checked, Verdict.INCOMPARABLE, set())))
    return [f"{word}: {numbers}" for word, numbers in clauses if numbers]


def _numbers(checked: Checked, verdict: Verdict, without: set[Quantity]) -> str:
    """Return how many findings have a verdict, by quantity."""
    left_out = without | {Quantity.CASE}
    found = (finding.quantity for finding in checked.findings if finding.verdict is verdict)
    counts = Counter(quantity for quantity in found if quantity not in left_out)
    recall = _of_recalls(checked, verdict)
    numbers = [
        _number(counts[quantity], quantity)
        for quantity in Quantity
        if counts[quantity] and not (recall and quantity is Quantity.RECALL)
    ]
    return ", ".join([*recall, *numbers])


def _of_recalls(checked: Checked, verdict: Verdict) -> list[str]:
    """Return the worst of the undecided recalls with its class, and how many more there are."""
    found = [finding for finding in checked.findings if finding.quantity is Quantity.RECALL]
    recalls = worst_first(finding for finding in found if finding.verdict is verdict)
    if verdict is not Verdict.UNDECIDED or not recalls:
        return []
    worst = f"recall of {class_in_quotes(recalls[0])} ({missed(recalls[0])})"
    return [worst, *([f"{len(recalls) - 1} more recalls"] if len(recalls) > 1 else [])]


def _number(count: int, quantity: Quantity) -> str:
    one, many = _PLURALS.get(quantity, (quantity.value, quantity.value))
    return f"{count} {one if count == 1 else many}"


def _of_other_cases(cases: Iterable[Sequence[Finding]]) -> list[str]:
    """Return how many cases are new, run again, or run on neither side."""
    words = {
        Verdict.NEW: "new",
        Verdict.FIXED: "runs only now",
        Verdict.INCOMPARABLE: "on neither side",
    }
    counts = Counter(findings[0].verdict for findings in cases if findings[0].quantity is Quantity.CASE)
    return [f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]]


def _without_latency(checked: Checked) -> str:
    """Say what was compared though no latency was, and why none was."""
    compared, latencies = _groups(checked), _latencies(checked)
    why = _why_not(latencies[0]) if latencies else ""
    if not compared:
        why = "; ".join(_of_other_cases(_cases(checked).values())) or why
        reason = f" ({why})" if why else ""
        return f"NOTHING COMPARED: no {row_noun(checked)} could be compared with the baseline's{reason}"
    undecided = _numbers(checked, Verdict.UNDECIDED, {Quantity.LATENCY})
    open_ = f"; undecided: {undecided}" if undecided else ""
    reason = f" ({why})" if why else ""
    advice = f"{decide_latencies(checked)}, or accept exit code {NOTHING_COMPARABLE}"
    return f"PARTLY COMPARED: {compared}, none worse{open_}; no {_not_compared(checked)}{reason}. {advice}."


def _groups(checked: Checked) -> str:
    """Return which quantities were compared of how many cases: `size and memory of 9 variants`."""
    counts = _compared_cases(checked)
    by_count: dict[int, list[str]] = {}
    for quantity in Quantity:
        if counts[quantity] and quantity not in (Quantity.CASE, Quantity.RECALL):
            by_count.setdefault(counts[quantity], []).append(quantity.value)
    noun = row_noun(checked)
    return ", ".join(
        f"{_listed(names, 'and')} of {_counted(count, noun)}" for count, names in by_count.items()
    )


def _compared_cases(checked: Checked) -> Counter[Quantity]:
    """Return of how many cases each quantity was compared."""
    known = {(finding.case, finding.quantity) for finding in checked.findings if _is_compared(finding)}
    return Counter(quantity for _, quantity in known)


def _not_compared(checked: Checked) -> str:
    """Return the quantities that were compared of no case: `latency or accuracy`."""
    present, counts = {finding.quantity for finding in checked.findings}, _compared_cases(checked)
    names = [quantity.value for quantity in Quantity if quantity in present and not counts[quantity]]
    return _listed([name for name in names if name != Quantity.CASE.value], "or")


def _why_not(finding: Finding) -> str:
    """Return why a latency was not compared: which conditions differ, or the first reason."""
    first, *others = finding.sentence.removeprefix(NOT_COMPARABLE).removeprefix(NOT_DECIDED).split("; ")
    if _WAS not in first:
        return shortened(first)
    differing = [_NAME.split(part, maxsplit=1)[0] for part in (first, *others) if _WAS in part]
    # The control workload's runtime says nothing more where the variants' runtimes differ too.
    named = [
        name
        for name in differing
        if not (name.startswith(_OF_CONTROL) and name.removeprefix(_OF_CONTROL) in differing)
    ]
    more = f" and {len(named) - _MOST_CONDITIONS} more" if len(named) > _MOST_CONDITIONS else ""
    is_one = len(named) == 1 and not named[0].endswith("s")
    words = ", ".join(named[:_MOST_CONDITIONS]) + more if more else _listed(named, "and")
    return f"{words} {'differs' if is_one else 'differ'}"


def _cases(checked: Checked) -> dict[str, list[Finding]]:
    cases: dict[str, list[Finding]] = {}
    for finding in checked.findings:
        cases.setdefault(finding.case, []).append(finding)
    return cases


def _latencies(checked: Checked) -> list[Finding]:
    return [finding for finding in checked.findings if finding.quantity is Quantity.LATENCY]


def _is_compared(finding: Finding) -> bool:
    if finding.quantity is Quantity.CASE or finding.verdict is Verdict.INCOMPARABLE:
        return False
    return finding.quantity not in _TIMES or finding.ratio is not None


def _is_equal(findings: Sequence[Finding]) -> bool:
    return findings[0].quantity is Quantity.CASE and findings[0].verdict is Verdict.SAME


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(names: Sequence[str], last_word: str) -> str:
    *first, last = names
    return f"{', '.join(first)} {last_word} {last}" if first else last
