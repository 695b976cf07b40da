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
    return f"{name} {finding.quantity.value} {finding.verdict.value}"


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
        f"{conditions.options.label}, {conditions.provenance}; ratios are candidate ÷ baseline, with 90 % "
        "intervals; those of WORSE and BETTER times are wider: they hold for all times together"
    )


def by_case(checked: Checked) -> list[list[Finding]]:
    """Return the findings of each case, in their order."""
    cases = dict.fromkeys(finding.case for finding in checked.findings)
    return [[finding for finding in checked.findings if finding.case == case] for case in cases]


def notable_findings(checked: Checked) -> list[Finding]:
    """Return the findings that say more than "no change". Those that block come first."""
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
    return [*blocking, *others, *changed]


def _is_changed(finding: Finding) -> bool:
    if finding.quantity is Quantity.OUTPUTS:  # the sentence says on how many inputs, and of which kind
        return True
    is_exact = finding.quantity in (Quantity.SIZE, Quantity.ACCURACY)
    return is_exact and (finding.baseline != finding.candidate or bool(finding.flips))


def _names(findings: Sequence[Finding], checked: Checked) -> str:
    names = [f"{case_name(finding, checked)} {finding.quantity.value}" for finding in findings]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


_MEASURED = (Quantity.LATENCY, Quantity.LOAD_TIME, Quantity.MEMORY, Quantity.SIZE)


def quantities(checked: Checked) -> tuple[Quantity, ...]:
    """Return the columns of the table: bundles with labels have accuracy, all others have outputs."""
    is_bundle = isinstance(checked.candidate, BundleRecord)
    has_outputs = any(finding.quantity is Quantity.OUTPUTS for finding in checked.findings)
    return (*_MEASURED, Quantity.ACCURACY if is_bundle and not has_outputs else Quantity.OUTPUTS)


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
    if finding.quantity is Quantity.ACCURACY:
        return f"{finding.ratio:.3f}"
    return f"{finding.ratio:.2f}×"


def _number_of_outputs(finding: Finding) -> str:
    if finding.candidate is None:
        return ""
    return f"{finding.candidate:.1%}" if finding.unit == SHARE_SAME else f"{finding.candidate:.0f} dB"
