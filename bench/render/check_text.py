"""The sentences of a check beside its headline: the conditions, the names of findings. Pure."""

from collections.abc import Sequence

from bench.gate.document import Checked
from bench.gate.findings import SHARE_SAME, Finding, Quantity, Verdict
from bench.gate.headline import row_noun
from bench.gate.worst_finding import case_name, worst_first
from bench.report.schema import BundleRecord

_COMPARED = {"bundles": "bundles", "models": "model files", "reports": "reports"}


def finding_name(finding: Finding, checked: Checked) -> str:
    """Return the name of a finding: its case, what was compared, and the verdict.

    A finding that other cases share, with its sentence, is named once for all of them.
    """
    name = case_name(finding, checked)
    if (cases := len(_alike(finding, checked))) > 1:
        return f"{finding.quantity.value} of {cases} {row_noun(checked)}s {finding.verdict.value}"
    if finding.quantity is Quantity.CASE:
        return f"{name} {finding.verdict.value}"
    return f"{name} {quantity_name(finding)} {finding.verdict.value}"


def quantity_name(finding: Finding) -> str:
    """Return what was compared; of a recall also whose."""
    of_class = "" if finding.class_name is None else f" of {finding.class_name}"
    return finding.quantity.value + of_class


def check_conditions(checked: Checked) -> str:
    """Return what was compared, where, and with which options."""
    conditions, host = checked.conditions, checked.conditions.host
    before, after = checked.baseline, checked.candidate
    return (
        f"candidate {after.name} ({after.shown_sha256[:8]}) against "
        f"baseline {before.name} ({before.shown_sha256[:8]}), "
        f"two {_COMPARED[checked.compared]}; profile {conditions.profile} on {host.board or host.cpu}, "
        f"{f'{host.may_use}, ' if host.may_use is not None else ''}"
        f"{conditions.options.label}, {conditions.provenance}; ratios are candidate ÷ baseline, with 90 % "
        "intervals; those of WORSE and BETTER times are wider: they hold for all times together"
    )


def by_case(checked: Checked) -> list[list[Finding]]:
    """Return the findings of each case, in their order."""
    cases = dict.fromkeys(finding.case for finding in checked.findings)
    return [[finding for finding in checked.findings if finding.case == case] for case in cases]


def notable_findings(checked: Checked) -> list[Finding]:
    """Return the findings that say more than "no change". The worst of those that block comes first.

    A finding that several cases share is there once. Recalls of one variant with one verdict are one finding,
    which names the first class in full.
    """
    blocking = worst_first(checked.blocking)
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
    notable = [*_joined(blocking), *_joined(others), *changed]
    return [finding for finding in notable if finding is _alike(finding, checked)[0]]


def _alike(finding: Finding, checked: Checked) -> list[Finding]:
    """Return the findings with the same sentence, of what could not be compared; else this one alone."""
    if finding.verdict is not Verdict.INCOMPARABLE or finding.quantity is Quantity.CASE:
        return [finding]
    return [
        other
        for other in checked.findings
        if (other.quantity, other.verdict, other.sentence)
        == (finding.quantity, finding.verdict, finding.sentence)
    ]


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


_MOST_NAMED = 3
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
