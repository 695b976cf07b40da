"""Reports, checks and choices as small HTML for a notebook: a table between its conditions and its warnings.

It needs base packages only: no template, no script, and colours are the notebook's own. Pure.
"""

import html
from collections.abc import Iterable, Sequence

from bench.choose.choosing import CandidateResult, Choice
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity
from bench.gate.headline import headline, row_noun
from bench.gate.worst_finding import case_name
from bench.render.check_text import (
    by_case,
    check_conditions,
    finding_name,
    notable_findings,
    number,
    quantities,
    shown,
)
from bench.render.choice_text import choice_notes, explanation
from bench.render.columns import Column, ColumnPlace, available_columns, best_cases, cell_of, place_in
from bench.render.report_text import (
    Remark,
    conditions,
    controls_line,
    projected_text,
    projections,
    proxy_terms,
    remarks,
    sustained,
)
from bench.report.schema import Report, Run
from user_files.printable import printable

_SHOWN = (ColumnPlace.ALWAYS, ColumnPlace.OFTEN)
# A notebook aligns cells to the right; text is read from the left.
_LEFT = ' style="text-align:left"'


def report_to_notebook(report: Report) -> str:
    """Return a report: its conditions, the row of each variant, the controls, and every warning."""
    variants = [run for run in report.runs if run.is_variant]
    shown = [column for column in available_columns(report) if place_in(column, report) in _SHOWN]
    is_projected = any(run.projected is not None for run in variants)
    best = {column.key: best_cases(column, report) for column in shown}
    legend = ["bold: best in its column"] if any(best.values()) else []
    head = [
        _cell("variant", "th"),
        *(_cell(column.heading, "th", f' title="{_text(column.explanation)}"') for column in shown),
        _cell("provenance", "th"),
        *([_cell("projected ms", "th")] if is_projected else []),
    ]
    rows = [
        [
            _cell(run.case, "th", _LEFT),
            *(_number_cell(report, run, column, best[column.key]) for column in shown),
            _cell(run.provenance if run.status == "completed" else run.status),
            *([_cell(projected_text(run))] if is_projected else []),
        ]
        for run in variants
    ]
    return _block(
        _paragraph([*conditions(report), *proxy_terms(report)]),
        _table(head, rows),
        _paragraph([*legend, *controls_line(report), *sustained(report), *projections(report)]),
        _entries(map(_remark, remarks(report))),
    )


def check_to_notebook(checked: Checked) -> str:
    """Return a check: its result, the verdicts, the findings, the conditions, and every warning."""
    columns = quantities(checked)
    head = [_cell(title, "th") for title in (row_noun(checked), *(quantity.value for quantity in columns))]
    rows = [
        [_cell(case_name(findings[0], checked), "th", _LEFT), *_verdicts(findings, columns)]
        for findings in by_case(checked)
    ]
    return _block(
        f"<p><strong>{_text(headline(checked))}</strong></p>",
        _table(head, rows),
        _entries(
            f"<strong>{_text(finding_name(finding, checked))}</strong>: {_text(finding.sentence)}"
            for finding in notable_findings(checked)
        ),
        _paragraph([check_conditions(checked), *(f"note: {note}" for note in checked.notes)]),
        _entries(_remark(Remark("warning", "", warning)) for warning in checked.warnings),
    )


def choice_to_notebook(choice: Choice) -> str:
    """Return a choice: its result, the reason against each other candidate, and what limits it."""
    return _block(
        f"<p><strong>{_text(choice.headline)}</strong></p>",
        _paragraph(explanation(choice)),
        _table([], [_candidate(candidate) for candidate in choice.candidates]),
        _paragraph([*choice.nearest, *choice_notes(choice)]),
    )


def _text(text: str) -> str:
    return html.escape(printable(text))


def _cell(text: str, tag: str = "td", attributes: str = "") -> str:
    return f"<{tag}{attributes}>{_text(text)}</{tag}>"


def _number_cell(report: Report, run: Run, column: Column, best: set[str]) -> str:
    text = _text(cell_of(column, run, report))
    return f"<td><strong>{text}</strong></td>" if run.case in best else f"<td>{text}</td>"


def _verdicts(findings: Sequence[Finding], columns: Sequence[Quantity]) -> list[str]:
    if findings[0].quantity is Quantity.CASE:
        return [_cell(findings[0].verdict.value), *(_cell("") for _ in columns[1:])]
    return [
        _cell(f"{finding.verdict.value} {number(finding)}".rstrip() if finding is not None else "–")
        for finding in (shown(findings, quantity) for quantity in columns)
    ]


def _candidate(candidate: CandidateResult) -> list[str]:
    name = f"* {candidate.name}" if candidate.on_front else candidate.name
    return [
        _cell(name, "th", _LEFT),
        _cell(candidate.result, "td", _LEFT),
        _cell(candidate.reason, "td", _LEFT),
    ]


def _remark(remark: Remark) -> str:
    cases = f", {remark.cases}" if remark.cases else ""
    return f"<strong>{_text(remark.kind + cases)}</strong>: {_text(remark.sentence)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = f"<thead><tr>{''.join(head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _paragraph(sentences: Sequence[str]) -> str:
    return f"<p>{'<br>'.join(map(_text, sentences))}</p>" if sentences else ""


def _entries(escaped: Iterable[str]) -> str:
    entries = "".join(f"<li>{entry}</li>" for entry in escaped)
    return f"<ul>{entries}</ul>" if entries else ""


def _block(*parts: str) -> str:
    return f"<div>{''.join(parts)}</div>"
