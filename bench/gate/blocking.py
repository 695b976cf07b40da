"""What blocks, and the exit code that follows from it. Pure: findings in, a decision out."""

from collections.abc import Iterable, Sequence

from bench.gate.findings import Finding, Quantity, Verdict

FINE = 0
BLOCKED = 10
NOTHING_COMPARABLE = 12

_BLOCKING_VERDICTS = frozenset({Verdict.WORSE, Verdict.MISSING, Verdict.BROKE})
_WITH_INTERVAL = (Quantity.LATENCY, Quantity.LOAD_TIME)


def blocks(finding: Finding, strict: bool) -> bool:
    """Tell whether a finding blocks. `strict`: an undecided one blocks too, unless it is within its limit."""
    if finding.verdict is not Verdict.UNDECIDED:
        return finding.verdict in _BLOCKING_VERDICTS
    return strict and not _is_within_limit(finding)


def blocking_findings(findings: Iterable[Finding], strict: bool) -> list[Finding]:
    """Return the findings that block, in their order."""
    return [finding for finding in findings if blocks(finding, strict)]


def exit_code_of(findings: Sequence[Finding], strict: bool) -> int:
    """Return 10 if something blocks, 12 if no latency could be compared, else 0.

    Without a compared latency the gate has not done its work, unless the files of a case are equal.
    """
    if blocking_findings(findings, strict):
        return BLOCKED
    is_compared = any(_compares_latency(finding) or _is_unchanged(finding) for finding in findings)
    return FINE if is_compared else NOTHING_COMPARABLE


def _is_within_limit(finding: Finding) -> bool:
    if finding.quantity is Quantity.ACCURACY:  # undecided is only whether a higher one is better
        return finding.ratio is not None and finding.ratio > 1
    if finding.interval is None or finding.limit is None or finding.quantity not in _WITH_INTERVAL:
        return False
    return finding.interval[1] <= 1 + finding.limit


def _compares_latency(finding: Finding) -> bool:
    return finding.quantity is Quantity.LATENCY and finding.ratio is not None


def _is_unchanged(finding: Finding) -> bool:
    return finding.quantity is Quantity.CASE and finding.verdict is Verdict.SAME
