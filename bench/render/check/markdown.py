"""A check as Markdown, for a pull request's comment or a job's summary. Pure."""

from bench.gate.document import BLOCKED, FINE, Checked
from bench.gate.findings import Finding, Quantity
from bench.render.check.cells import QUANTITIES, number
from bench.render.check.headline import called, conditions, headline, of_case, variant_name, worth_saying
from bench.render.markdown_text import escaped

MARKER = "<!-- edgefit check -->"


def to_markdown(checked: Checked) -> str:
    """Return the check as Markdown; its first line marks it, so that a comment can be found and replaced."""
    sign = {BLOCKED: "❌", FINE: "✅"}.get(checked.exit_code, "⚠️")
    lines = [MARKER, f"{sign} **{escaped(headline(checked))}**", ""]
    titles = [quantity.value for quantity in QUANTITIES]
    lines += [f"| variant | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for findings in of_case(checked):
        name = escaped(variant_name(findings[0], checked))
        lines.append(f"| {name} | {' | '.join(_cells(findings))} |")
    lines.append("")
    lines += [
        f"- **{escaped(called(one, checked))}**: {escaped(one.sentence)}" for one in worth_saying(checked)
    ]
    lines += ["", "<details><summary>Conditions</summary>", "", escaped(conditions(checked)), ""]
    lines += [f"- {escaped(note)}" for note in checked.notes]
    lines += [f"- warning: {escaped(warning)}" for warning in checked.warnings]
    return "\n".join([*lines, "", "</details>", ""])


def was_markdown(content: bytes) -> bool:
    """Tell whether a file's content is an earlier check's."""
    return content.startswith(MARKER.encode())


def _cells(findings: list[Finding]) -> list[str]:
    if findings[0].quantity is Quantity.CASE:
        return [findings[0].verdict.value, *[""] * (len(QUANTITIES) - 1)]
    found = {one.quantity: one for one in findings}
    return [_cell(found[quantity]) if quantity in found else "–" for quantity in QUANTITIES]


def _cell(finding: Finding) -> str:
    interval = ""
    if finding.interval is not None and finding.quantity in (Quantity.LATENCY, Quantity.LOAD_TIME):
        interval = f" ({finding.interval[0]:.2f}–{finding.interval[1]:.2f})"
    return f"{finding.verdict.value} {number(finding)}{interval}".rstrip()
