"""What a finding comes to in a table's cell: its number. Pure."""

from bench.gate.findings import Finding, Quantity

QUANTITIES = (Quantity.LATENCY, Quantity.LOAD_TIME, Quantity.MEMORY, Quantity.SIZE, Quantity.ACCURACY)


def number(finding: Finding) -> str:
    """Return how the candidate stands to the baseline, in few characters; empty where there is no number."""
    if finding.ratio is None:
        return ""
    if finding.quantity in (Quantity.SIZE, Quantity.MEMORY):
        return f"{round(finding.ratio - 1, 3) + 0.0:+.1%}"  # + 0.0: there is no -0.0%
    if finding.quantity is Quantity.ACCURACY:
        return f"{finding.ratio:.3f}"
    return f"{finding.ratio:.2f}×"
