"""Reports and checks as Markdown, for a pull request or a job summary. Pure."""

from collections.abc import Sequence

from bench.choose.choosing import Choice
from bench.gate.blocking import BLOCKED, FINE
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity
from bench.gate.headline import headline, row_noun
from bench.gate.worst_finding import case_name
from bench.markdown_text import escaped
from bench.render.check_text import (
    by_case,
    check_conditions,
    finding_name,
    notable_findings,
    number,
    quantities,
    shown,
)
from bench.render.class_text import class_lines
from bench.render.columns import ColumnPlace, available_columns, cell_of, place_in
from bench.render.report_text import (
    Remark,
    conditions,
    controls_line,
    projected_text,
    proxy_terms,
    reference_line,
    remarks,
    sensitivity_line,
)
from bench.render.text import REPORT_MARKER, noun_of, subjects_of
from bench.report.class_markdown import MOST_COLUMNS, class_markdown
from bench.report.class_tables import class_tables
from bench.report.schema import Report, Run

_SHOWN = (ColumnPlace.ALWAYS, ColumnPlace.OFTEN)


def report_to_markdown(reports: Sequence[Report], choices: Sequence[Choice]) -> str:
    """Return the reports as Markdown. The first line marks it, so that CI can replace an earlier comment."""
    lines = [REPORT_MARKER]
    for choice in choices:
        lines.append(f"- **{escaped(choice.headline)}**")
        lines += [f"  - {escaped(sentence)}" for sentence in choice.explanation]
    lines.append("")
    for report in reports:
        lines += _section(report)
    return "\n".join(lines)


def was_report_markdown(content: bytes) -> bool:
    """Tell whether this module wrote a file's content for reports."""
    return content.startswith(REPORT_MARKER.encode())


def _section(report: Report) -> list[str]:
    variants = [run for run in report.runs if run.is_variant]
    shown = [column for column in available_columns(report) if place_in(column, report) in _SHOWN]
    is_projected = any(run.projected is not None for run in variants)
    titles = [noun_of(report), *(column.heading for column in shown), "provenance"]
    titles += ["projected ms"] if is_projected else []
    lines = [f"#### {escaped(report.name)}: {escaped(report.profile.name)}", ""]
    lines += [f"| {' | '.join(titles)} |", f"|---|{'--:|' * len(shown)}---|{'---|' if is_projected else ''}"]
    for run in variants:
        cells = [escaped(run.case), *(cell_of(column, run, report) for column in shown), _provenance(run)]
        cells += [projected_text(run)] if is_projected else []
        lines.append(f"| {' | '.join(cells)} |")
    origin = (
        f"{report.created}, edgefit {report.tool}, {subjects_of(report)} {report.subject.shown_sha256[:12]}"
    )
    conditions_ = [*conditions(report), *reference_line(report), *controls_line(report)]
    sentences = [*proxy_terms(report), *conditions_, origin]
    warnings = [remark_line(remark) for remark in remarks(report)]
    summary = f"Conditions; warnings and gaps: {len(warnings)}"
    lines += ["", *map(escaped, [*sensitivity_line(report, shown), *class_lines(report)])]
    lines += ["", f"<details><summary>{summary}</summary>", ""]
    lines += [f"- {escaped(line)}" for line in sentences]
    return [*lines, *warnings, "", "</details>", "", *_classes(report)]


def _classes(report: Report) -> list[str]:
    """Return the tables of each class, folded; nothing without classes."""
    tables = class_tables(report, MOST_COLUMNS)
    if report.bundle is None or not tables:
        return []
    lines = ["<details><summary>Each class</summary>", ""]
    for table in tables:
        lines += [f"**{escaped(table.whose)}**", "", *class_markdown(table, report.bundle.samples), ""]
    return [*lines, "</details>", ""]


def _provenance(run: Run) -> str:
    return run.provenance if run.status == "completed" else run.status


def remark_line(remark: Remark) -> str:
    """Return a remark as an entry of a list."""
    cases = f", {remark.cases}" if remark.cases else ""
    return f"- **{escaped(remark.kind + cases)}**: {escaped(remark.sentence)}"


CHECK_MARKER = "<!-- edgefit check -->"


def check_to_markdown(checked: Checked) -> str:
    """Return the check as Markdown. The first line marks it, so that CI can replace an earlier comment."""
    sign = {BLOCKED: "❌", FINE: "✅"}.get(checked.exit_code, "⚠️")
    lines = [CHECK_MARKER, f"{sign} **{escaped(headline(checked))}**", ""]
    titles = [quantity.value for quantity in quantities(checked)]
    lines += [f"| {row_noun(checked)} | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for findings in by_case(checked):
        name = escaped(case_name(findings[0], checked))
        lines.append(f"| {name} | {' | '.join(_cells(findings, quantities(checked)))} |")
    lines.append("")
    lines += [
        f"- **{escaped(finding_name(finding, checked))}**: {escaped(finding.sentence)}"
        for finding in notable_findings(checked)
    ]
    lines += ["", "<details><summary>Conditions</summary>", "", escaped(check_conditions(checked)), ""]
    lines += [f"- {escaped(note)}" for note in checked.notes]
    lines += [f"- warning: {escaped(warning)}" for warning in checked.warnings]
    return "\n".join([*lines, "", "</details>", ""])


def was_check_markdown(content: bytes) -> bool:
    """Tell whether this module wrote a file's content for a check."""
    return content.startswith(CHECK_MARKER.encode())


def _cells(findings: list[Finding], columns: Sequence[Quantity]) -> list[str]:
    if findings[0].quantity is Quantity.CASE:
        return [findings[0].verdict.value, *[""] * (len(columns) - 1)]
    return [_cell(shown(findings, quantity)) for quantity in columns]


def _cell(finding: Finding | None) -> str:
    if finding is None:
        return "–"
    interval = ""
    if finding.interval is not None and finding.quantity in (Quantity.LATENCY, Quantity.LOAD_TIME):
        interval = f" ({finding.interval[0]:.2f}–{finding.interval[1]:.2f})"
    return f"{finding.verdict.value} {number(finding)}{interval}".rstrip()
