"""The sentences of a check: the result in one line, the conditions, the names of findings. Pure."""

from collections.abc import Sequence

from bench.gate.blocking import BLOCKED, NOTHING_COMPARABLE
from bench.gate.document import Checked
from bench.gate.findings import SHARE_SAME, Finding, Quantity, Verdict
from bench.report.schema import BundleRecord

_MOST_NAMED = 3
_COMPARED = {"bundles": "bundles", "models": "model files", "reports": "reports"}


def headline(checked: Checked) -> str:
    """Return the result in one line: whether the candidate passes, and why not."""
    variants = _counted(len({finding.case for finding in checked.findings}), row_noun(checked))
    if checked.exit_code == BLOCKED:
        blocking = checked.blocking
        more = f", and {len(blocking) - 1} more" if len(blocking) > 1 else ""
        return f"BLOCKED: {finding_name(blocking[0], checked)}: {blocking[0].sentence}{more}"
    if checked.exit_code == NOTHING_COMPARABLE:
        return f"NOTHING COMPARED: no latency of {variants} could be compared with the baseline's"
    undecided = [finding for finding in checked.findings if finding.verdict is Verdict.UNDECIDED]
    better = [finding for finding in checked.findings if finding.verdict is Verdict.BETTER]
    sentence = f"PASSED: {variants}, nothing worse than its limit"
    if better:
        sentence += f"; better: {_names(better, checked)}"
    if undecided:
        sentence += f"; not decided: {_names(undecided, checked)}"
    return sentence


def row_noun(checked: Checked) -> str:
    """Return what is compared: a variant of a bundle, or a model."""
    return "variant" if isinstance(checked.candidate, BundleRecord) else "model"


def finding_name(finding: Finding, checked: Checked) -> str:
    """Return the name of a finding: its case, what was compared, and the verdict."""
    name = case_name(finding, checked)
    if finding.quantity is Quantity.CASE:
        return f"{name} {finding.verdict.value}"
    return f"{name} {quantity_name(finding)} {finding.verdict.value}"


def quantity_name(finding: Finding) -> str:
    """Return what was compared; of a recall also whose."""
    of_class = "" if finding.class_name is None else f" of {finding.class_name}"
    return finding.quantity.value + of_class


def case_name(finding: Finding, checked: Checked) -> str:
    """Return the case of a finding. Its provenance is added unless that is `measured`."""
    provenance = checked.conditions.provenance
    return finding.case if provenance == "measured" else f"{finding.case} ({provenance})"


def check_conditions(checked: Checked) -> str:
    """Return what was compared, where, and with which options."""
    conditions, host = checked.conditions, checked.conditions.host
    before, after = checked.baseline, checked.candidate
    return (
        f"candidate {after.name} ({after.shown_sha256[:8]}) against "
        f"baseline {before.name} ({before.shown_sha256[:8]}), "
        f"two {_COMPARED[checked.compared]}; profile {conditions.profile} on {host.board or host.cpu}, "
        f"{conditions.options.label}, {conditions.provenance}; ratios are candidate ÷ baseline, "
        f"and their intervals hold for all {row_noun(checked)}s together with 95 % confidence"
    )


def by_case(checked: Checked) -> list[list[Finding]]:
    """Return the findings of each case, in their order."""
    cases = dict.fromkeys(finding.case for finding in checked.findings)
    return [[finding for finding in checked.findings if finding.case == case] for case in cases]


def notable_findings(checked: Checked) -> list[Finding]:
    """Return the findings that say more than "no change". Those that block come first.

    Recalls of one variant with one verdict are one finding, which names the first class in full.
    """
    blocking = checked.blocking
    others = [
        finding
        for finding in checked.findings
        if finding not in blocking and finding.verdict is not Verdict.SAME
    ]
    changed = [
        finding
        for finding in checked.findings
        if finding.verdict is Verdict.SAME and (_is_changed(finding) or finding.confirmed)
    ]
    return [*_joined(blocking), *_joined(others), *changed]


def _joined(findings: Sequence[Finding]) -> list[Finding]:
    """Say the recalls of one variant with one verdict in one sentence: a set may have many classes."""
    groups: dict[object, list[Finding]] = {}
    for index, finding in enumerate(findings):
        is_recall = finding.quantity is Quantity.RECALL
        groups.setdefault((finding.case, finding.verdict) if is_recall else index, []).append(finding)
    return [_with_others(group) for group in groups.values()]


def _with_others(findings: Sequence[Finding]) -> Finding:
    first, *others = findings
    if not others:
        return first
    named = ", ".join(f"{finding.class_name} {number(finding)}" for finding in others[:_MOST_NAMED])
    more = len(others) - _MOST_NAMED
    also = named + (f" and {more} more classes" if more > 0 else "")
    return first.model_copy(update={"sentence": f"{first.sentence}; also, of the baseline's recall: {also}"})


def _is_changed(finding: Finding) -> bool:
    if finding.quantity is Quantity.OUTPUTS:  # the sentence says on how many inputs, and of which kind
        return True
    is_exact = finding.quantity in (Quantity.SIZE, Quantity.ACCURACY)
    return is_exact and (finding.baseline != finding.candidate or bool(finding.flips))


def _names(findings: Sequence[Finding], checked: Checked) -> str:
    named = (f"{case_name(finding, checked)} {finding.quantity.value}" for finding in findings)
    names = list(dict.fromkeys(named))
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


_SEVERITY = {Verdict.WORSE: 0, Verdict.UNDECIDED: 1}
_MEASURED = (Quantity.LATENCY, Quantity.LOAD_TIME, Quantity.MEMORY, Quantity.SIZE)


def quantities(checked: Checked) -> tuple[Quantity, ...]:
    """Return the columns of the table: bundles with labels have accuracy, all others have outputs.

    Recall has one if that of any class is not the same.
    """
    is_bundle = isinstance(checked.candidate, BundleRecord)
    has_outputs = any(finding.quantity is Quantity.OUTPUTS for finding in checked.findings)
    judged = Quantity.ACCURACY if is_bundle and not has_outputs else Quantity.OUTPUTS
    recalls = [Quantity.RECALL] if any(_is_changed_recall(finding) for finding in checked.findings) else []
    return (*_MEASURED, judged, *recalls)


def _is_changed_recall(finding: Finding) -> bool:
    return finding.quantity is Quantity.RECALL and finding.verdict is not Verdict.SAME


def shown(findings: Sequence[Finding], quantity: Quantity) -> Finding | None:
    """Return the finding that stands in a variant's cell: of several recalls the worst verdict's first."""
    of_quantity = [finding for finding in findings if finding.quantity is quantity]
    return min(of_quantity, key=lambda finding: _SEVERITY.get(finding.verdict, len(_SEVERITY)), default=None)


def without_same_recalls(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out the classes whose recall is the same: a set may have many of them."""
    return [
        finding
        for finding in findings
        if finding.quantity is not Quantity.RECALL or finding.verdict is not Verdict.SAME
    ]


def number(finding: Finding) -> str:
    """Return the figure of a finding in few characters, or an empty text where there is none.

    It is candidate ÷ baseline; of outputs the share of equal classes, or the SQNR.
    """
    if finding.quantity is Quantity.OUTPUTS:
        return _number_of_outputs(finding)
    if finding.ratio is None:
        return ""
    if finding.quantity in (Quantity.SIZE, Quantity.MEMORY):
        return f"{round(finding.ratio - 1, 3) + 0.0:+.1%}"  # + 0.0: there is no -0.0%
    if finding.quantity in (Quantity.ACCURACY, Quantity.RECALL):
        return f"{finding.ratio:.3f}"
    return f"{finding.ratio:.2f}×"


def _number_of_outputs(finding: Finding) -> str:
    if finding.candidate is None:
        return ""
    return f"{finding.candidate:.1%}" if finding.unit == SHARE_SAME else f"{finding.candidate:.0f} dB"
