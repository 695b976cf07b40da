"""Reports, checks, choices and histories for a terminal of any width. Pure: it prints nothing.

Text wraps at words, and its further lines are indented. A table shows the columns that fit and cuts no cell.
"""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.choose.choosing import Choice
from bench.errors import InputError
from bench.gate.blocking import BLOCKED, FINE
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity, Verdict
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
from bench.render.class_text import class_lines
from bench.render.columns import (
    Column,
    ColumnPlace,
    available_columns,
    best_cases,
    cell_of,
    column_of,
    place_in,
)
from bench.render.layout import Hanging, empty_table, hanging, that_fit, width_of
from bench.render.lines import line, line_of
from bench.render.report_text import (
    Remark,
    conditions,
    controls_line,
    projected_text,
    projections,
    proxy_terms,
    reference_line,
    remarks,
    sensitivity_line,
    sustained,
)
from bench.render.text import device_of, noun_of, sparkline
from bench.report.schema import Report, Run


def report_view(report: Report, width: int) -> RenderableType:
    """Return a report for a terminal `width` columns wide."""
    variants = [run for run in report.runs if run.is_variant]
    available = [
        column for column in available_columns(report) if place_in(column, report) is not ColumnPlace.FILE
    ]

    def table_of(columns: Sequence[Column]) -> Table:
        return _report_table(report, variants, columns)

    shown = that_fit(available, lambda column: place_in(column, report), table_of, width)
    notes = [
        *_legend(report, shown),
        *sensitivity_line(report, shown),
        *class_lines(report),
        *reference_line(report),
        *controls_line(report),
    ]
    if len(shown) < len(available):
        needed = width_of(table_of(available))
        notes.append(f"more columns at a width of {needed}, all columns with --csv")
    return Group(
        *hanging(conditions(report)),
        *hanging(proxy_terms(report), "yellow"),
        table_of(shown),
        *hanging(notes, "dim"),
        *hanging(sustained(report)),
        *hanging(projections(report)),
        *(Hanging(remark_text(remark)) for remark in remarks(report)),
    )


def _legend(report: Report, shown: Sequence[Column]) -> list[str]:
    """Return the explanation of what the table has: a mark at the best, and accuracy."""
    parts = ["* best in its column"] if any(best_cases(column, report) for column in shown) else []
    if report.evaluation is not None and any(run.accuracy is not None for run in report.runs):
        figures = "accuracy, AUC and retention" if report.evaluation.gap is None else "agreement and SQNR"
        parts.append(f"{figures}: on the file that was timed")
    return [" · ".join(parts)] if parts else []


def _report_table(report: Report, variants: Sequence[Run], columns: Sequence[Column]) -> Table:
    table = empty_table()
    table.add_column(noun_of(report), overflow="fold")
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    table.add_column("provenance", no_wrap=True)
    is_projected = any(run.projected is not None for run in variants)
    if is_projected:
        table.add_column("projected\nms", justify="right", no_wrap=True)
    best = {column.key: best_cases(column, report) for column in columns}
    for run in variants:
        table.add_row(
            line(run.case),
            *(_report_cell(report, run, column, best[column.key]) for column in columns),
            _provenance(run),
            *([line(projected_text(run))] if is_projected else []),
        )
    return table


def _report_cell(report: Report, run: Run, column: Column, best: set[str]) -> Text:
    text = cell_of(column, run, report)
    if column.value(run) is None:
        return Text(text, "dim")
    return Text(f"*{text}", "bold green") if run.case in best else Text(text)


def _provenance(run: Run) -> Text:
    return status_text(run.provenance if run.status == "completed" else run.status)


def status_text(word: str) -> Text:
    """Return the provenance of a row, or its status where it did not complete."""
    return Text(word, {"failed": "bold red", "skipped": "yellow"}.get(word, ""))


def remark_text(remark: Remark) -> Text:
    """Return a remark with its kind, or the rows that it is about, in front."""
    if remark.kind == "warning":
        cases = f"{remark.cases}: " if remark.cases else ""
        return line_of(("warning:", "yellow"), f" {cases}{remark.sentence}")
    if remark.kind == "outputs not compared":
        return line_of((f"{remark.kind}:", "yellow"), f" {remark.cases}: {remark.sentence}")
    return line_of((f"{remark.cases}:", "bold"), f" {remark.sentence}")


_CHOICE_STYLES = {"chosen": "bold green", "tie": "cyan", "not decided": "yellow", "not ranked": "dim"}
# A longer name is wrapped, so that the reasons keep most of the line.
_LONGEST_NAME = 30


def choice_view(choice: Choice) -> RenderableType:
    """Return a choice for a terminal of any width. The result comes first, then the figures and reasons."""
    return Group(
        line(choice.headline, "bold" if choice.chosen else "bold red"),
        *hanging(f"  {sentence}" for sentence in explanation(choice)),
        _candidates(choice),
        *hanging(choice.nearest),
        *hanging(
            choice_notes(choice),
            "dim",
        ),
    )


def _candidates(choice: Choice) -> Table:
    table = empty_table(show_header=False)
    table.add_column(overflow="fold", max_width=_LONGEST_NAME)
    table.add_column(overflow="fold")
    for candidate in choice.candidates:
        mark = "*" if candidate.on_front else " "
        style = _CHOICE_STYLES.get(candidate.result, "")
        reason = line_of((candidate.result, style), f": {candidate.reason}")
        table.add_row(line(f"{mark} {candidate.name}"), reason)
    return table


_WIDE = 100
_VERDICT_STYLES = {
    Verdict.WORSE: "bold red",
    Verdict.MISSING: "bold red",
    Verdict.BROKE: "bold red",
    Verdict.BETTER: "green",
    Verdict.FIXED: "green",
    Verdict.UNDECIDED: "yellow",
    Verdict.INCOMPARABLE: "yellow",
}


def check_view(checked: Checked, width: int) -> RenderableType:
    """Return a check for a terminal `width` columns wide."""
    style = {BLOCKED: "bold red", FINE: "bold green"}.get(checked.exit_code, "bold yellow")
    return Group(
        Hanging(line(headline(checked), style)),
        _check_table(checked, width),
        *(Hanging(_finding_text(finding, checked)) for finding in notable_findings(checked)),
        *hanging((f"note: {note}" for note in checked.notes), "dim"),
        *(Hanging(remark_text(Remark("warning", "", warning))) for warning in checked.warnings),
        *hanging([check_conditions(checked)], "dim"),
    )


def _finding_text(finding: Finding, checked: Checked) -> Text:
    style = _VERDICT_STYLES.get(finding.verdict, "")
    return line_of((finding_name(finding, checked), style), f": {finding.sentence}")


def _check_table(checked: Checked, width: int) -> Table:
    table = empty_table()
    table.add_column(row_noun(checked), overflow="fold")
    for quantity in quantities(checked):
        table.add_column(quantity.value, no_wrap=True)
    for findings in by_case(checked):
        name = case_name(findings[0], checked)
        if findings[0].quantity is Quantity.CASE:
            table.add_row(line(name), _verdict(findings[0]))
        else:
            cells = [_check_cell(findings, quantity, width) for quantity in quantities(checked)]
            table.add_row(line(name), *cells)
    return table


def _check_cell(findings: Sequence[Finding], quantity: Quantity, width: int) -> Text:
    finding = shown(findings, quantity)
    if finding is None:
        return Text("–", "dim")
    between = " " if width >= _WIDE else "\n"
    value = number(finding)
    return Text.assemble(_verdict(finding), f"{between}{value}" if value else "")


def _verdict(finding: Finding) -> Text:
    return Text(finding.verdict.value, _VERDICT_STYLES.get(finding.verdict, ""))


_HISTORY_WIDTH = 24
_HISTORY_COLUMNS = (
    "p50_ms",
    "p50_half_width",
    "relative_to_control",
    "peak_memory_mib",
    "size_mb",
    "retention",
    "agreement",
    "cosine",
    "output_agreement",
    "output_cosine",
)


def of_one_name(reports: Sequence[Report]) -> list[Report]:
    """Return the reports, the earliest first. Raises InputError unless all have one name."""
    names = sorted({report.name for report in reports})
    if len(names) > 1:
        raise InputError(
            f"--history shows reports of one name, and these have the names {', '.join(map(repr, names))}; "
            "give reports of one name (edgefit bench --name sets it)"
        )
    return sorted(reports, key=lambda report: report.created)


def latest_of_each(reports: Sequence[Report]) -> list[Report]:
    """Return the latest report of each device. A device is a profile on a machine."""
    ordered = sorted(reports, key=lambda report: report.created)
    return list(
        {(report.profile.name, report.host.cpu, report.host.board): report for report in ordered}.values()
    )


def history_view(reports: Sequence[Report], width: int) -> RenderableType:
    """Return a table for each variant on each device, with a line for each report, the earliest first."""
    histories: dict[tuple[str, str, str], list[tuple[Report, Run]]] = {}
    for report in of_one_name(reports):
        for run in report.runs:
            if run.is_variant:
                histories.setdefault((run.case, device_of(report), run.provenance), []).append((report, run))
    parts: list[RenderableType] = [line(f"{reports[0].name}: {len(reports)} reports", "bold")]
    for (case, device, provenance), rows in histories.items():
        levels = [run.summary.latency.p50_ns for _, run in rows if run.summary is not None]
        drawing = f"  p50 {sparkline(levels, _HISTORY_WIDTH)}" if len(levels) > 1 else ""
        parts += [Text(), *hanging([f"{case}, {device}, {provenance}{drawing}"]), _fitting(rows, width)]
    return Group(*parts, *hanging(_history_legend(reports), "dim"))


def _history_legend(reports: Sequence[Report]) -> list[str]:
    """Return the explanation of the columns that have a value."""
    explained = {
        "p50_half_width": "± half of the 95 % interval of the median",
        "relative_to_control": "rel. to control: latency ÷ the control "
        "workload's, to compare days and machines",
    }
    available = {column.key for column in available_columns(*reports)}
    parts = [text for key, text in explained.items() if key in available]
    return [" · ".join(parts)] if parts else []


def _fitting(rows: Sequence[tuple[Report, Run]], width: int) -> Table:
    """Return the table of a history with the columns that the terminal has room for."""
    has_accuracy = any(run.accuracy is not None and run.accuracy.top1 is not None for _, run in rows)
    available = [
        column
        for column in map(column_of, _HISTORY_COLUMNS)
        if any(column.value(run) is not None for _, run in rows)
        and not (column.key == "agreement" and has_accuracy)
    ]
    shown = that_fit(
        available, lambda _: ColumnPlace.ALWAYS, lambda columns: _history_table(rows, columns), width
    )
    return _history_table(rows, shown)


def _history_table(rows: Sequence[tuple[Report, Run]], columns: Sequence[Column]) -> Table:
    table = empty_table()
    table.add_column("measured at", overflow="fold")
    for title in ("bundle" if rows[0][0].models is None else "file", "run"):
        table.add_column(title, no_wrap=True)
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    for report, run in rows:
        how = f"{'quick' if report.quick else 'full'}, {run.config.short_label}"
        how = how if run.status == "completed" else run.status
        cells = [cell_of(column, run, report) for column in columns]
        model = report.model_of(run)
        sha256 = report.subject.sha256 if model is None else model.sha256
        table.add_row(*map(line, (report.created, sha256[:8], how, *cells)))
    return table
