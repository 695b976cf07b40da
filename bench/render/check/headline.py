"""The sentence that a reviewer needs first, and how variants and findings are called. Pure."""

from collections.abc import Sequence

from bench.gate.document import BLOCKED, NOTHING_COMPARABLE, Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.runtimes.providers import short_name

_MOST_NAMED = 3


def headline(checked: Checked) -> str:
    """Say in one line whether the candidate may go on, and why not."""
    variants = _counted(len({one.case for one in checked.findings}), "variant")
    if checked.exit_code == BLOCKED:
        found = checked.blocking
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return f"BLOCKED: {called(found[0], checked)}: {found[0].sentence}{more}"
    if checked.exit_code == NOTHING_COMPARABLE:
        return f"NOTHING COMPARED: no latency of {variants} could be held against the baseline's"
    undecided = [one for one in checked.findings if one.verdict is Verdict.UNDECIDED]
    better = [one for one in checked.findings if one.verdict is Verdict.BETTER]
    said = f"PASSED: {variants}, nothing worse than its limit"
    if better:
        said += f"; better: {_listed(better, checked)}"
    if undecided:
        said += f"; not decided: {_listed(undecided, checked)}"
    return said


def called(finding: Finding, checked: Checked) -> str:
    """Name a finding: its variant, with its provider if there are several, and what was compared."""
    name = variant_name(finding, checked)
    if finding.quantity is Quantity.CASE:
        return f"{name} {finding.verdict.value}"
    return f"{name} {finding.quantity.value} {finding.verdict.value}"


def variant_name(finding: Finding, checked: Checked) -> str:
    """Name a finding's variant, with its provider if there are several, and a standing but measured."""
    providers = {one.provider for one in checked.findings if one.variant == finding.variant}
    name = f"{finding.variant} {short_name(finding.provider)}" if len(providers) > 1 else finding.variant
    return (
        name if checked.conditions.provenance == "measured" else f"{name} ({checked.conditions.provenance})"
    )


def conditions(checked: Checked) -> str:
    """Say what was compared, and where."""
    on, host = checked.conditions, checked.conditions.host
    before, after = checked.baseline, checked.candidate
    return (
        f"candidate {after.name} ({after.sha256[:8]}) against baseline {before.name} ({before.sha256[:8]}), "
        f"two {checked.compared}; profile {on.profile} on {host.board or host.cpu}, "
        f"{_counted(on.threads, 'thread')}, batch 1, {on.provenance}; ratios are candidate ÷ baseline, "
        "with an interval that holds for all variants together with 95 %"
    )


def of_case(checked: Checked) -> list[list[Finding]]:
    """Return the findings by variant and provider, in their order."""
    cases = dict.fromkeys(one.case for one in checked.findings)
    return [[one for one in checked.findings if one.case == case] for case in cases]


def worth_saying(checked: Checked) -> list[Finding]:
    """Return the findings that are more than `as before`, those that block first."""
    blocking = checked.blocking
    others = [one for one in checked.findings if one not in blocking and one.verdict is not Verdict.SAME]
    changed = [
        one for one in checked.findings if one.verdict is Verdict.SAME and (_is_changed(one) or one.confirmed)
    ]
    return [*blocking, *others, *changed]


def _is_changed(one: Finding) -> bool:
    exact = one.quantity in (Quantity.SIZE, Quantity.ACCURACY)
    return exact and (one.baseline != one.candidate or "changed class" in one.sentence)


def _listed(findings: Sequence[Finding], checked: Checked) -> str:
    names = [f"{variant_name(one, checked)} {one.quantity.value}" for one in findings]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
