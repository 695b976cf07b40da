"""Reports as Markdown, for a pull request or a job's summary: the pick, the table, the conditions. Pure."""

from collections.abc import Sequence

from bench.choose.choosing import Choice
from bench.render import proxy_text
from bench.render.columns import Place, told
from bench.render.markdown_text import escaped
from bench.render.sentences import Remark, beside, conditions, remarks, row_names
from bench.report.schema import Report, Run

MARKER = "<!-- edgefit report -->"
_SHOWN = (Place.ALWAYS, Place.OFTEN)


def to_markdown(reports: Sequence[Report], choices: Sequence[Choice]) -> str:
    """Return the reports as Markdown, marked by its first line, so that a comment can be replaced."""
    lines = [MARKER, *(f"- **{escaped(choice.headline)}**" for choice in choices), ""]
    for report in reports:
        lines += _section(report)
    return "\n".join(lines)


def was_markdown(content: bytes) -> bool:
    """Tell whether a file's content is that of earlier reports."""
    return content.startswith(MARKER.encode())


def _section(report: Report) -> list[str]:
    variants = [run for run in report.runs if run.is_variant]
    names = row_names(report)
    shown = [one for one in told(report) if one.place in _SHOWN]
    is_projected = any(run.projected_ms is not None for run in variants)
    titles = ["variant", *(one.heading for one in shown), "latency is"]
    titles += ["projected ms"] if is_projected else []
    lines = [f"#### {escaped(report.name)}: {escaped(report.profile.name)}", ""]
    lines += [f"| {' | '.join(titles)} |", f"|---|{'--:|' * len(shown)}---|{'---|' if is_projected else ''}"]
    for run in variants:
        cells = [escaped(names[run.case]), *(one.text(run) for one in shown), _provenance(run)]
        cells += [proxy_text.projected_text(run)] if is_projected else []
        lines.append(f"| {' | '.join(cells)} |")
    made = f"{report.created}, edgefit {report.tool}, bundle {report.bundle.sha256[:12]}"
    said = [*proxy_text.terms(report), *conditions(report), *beside(report), made]
    warnings = [_remark(one) for one in remarks(report, names)]
    summary = f"Conditions; doubts and gaps: {len(warnings)}"
    lines += ["", f"<details><summary>{summary}</summary>", ""]
    lines += [f"- {escaped(line)}" for line in said]
    return [*lines, *warnings, "", "</details>", ""]


def _provenance(run: Run) -> str:
    return run.provenance if run.status == "completed" else run.status


def _remark(remark: Remark) -> str:
    who = f", {remark.who}" if remark.who else ""
    return f"- **{escaped(remark.kind + who)}**: {escaped(remark.sentence)}"
