"""A report as a table for the terminal: its conditions, one row per variant, warnings and reasons.

Pure: a report and a width in, something rich can print out.
"""

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from bench.render import proxy_text
from bench.render.columns import Column, Place, best_cases, told
from bench.render.sentences import Remark, beside, conditions, remarks, row_names, sustained
from bench.report.schema import Report, Run

_WIDER_THAN_ANY = 10_000


def report_view(report: Report, width: int) -> RenderableType:
    """Return everything there is to see of a report on a terminal of `width` columns."""
    variants = [run for run in report.runs if run.is_variant]
    shown = [one for one in told(report) if one.place is not Place.FILE]
    chosen = _that_fit(report, variants, shown, width)
    parts: list[RenderableType] = [Text(line) for line in conditions(report)]
    parts += [Text(line, "yellow") for line in proxy_text.terms(report)]
    parts.append(_table(report, variants, chosen))
    parts.append(
        Text("* best in its column · accuracy, AUC and retention: on the file that was timed", "dim")
    )
    parts += [Text(line, "dim") for line in beside(report)]
    if len(chosen) < len(shown):
        needed = _width_of(_table(report, variants, shown))
        parts.append(Text(f"more columns at a width of {needed}, all of them with --csv", "dim"))
    names = row_names(report)
    parts += [Text(line) for line in sustained(report, names)]
    parts += [Text(line) for line in proxy_text.projections(report, names)]
    parts += [_remark_line(one) for one in remarks(report, names)]
    return Group(*parts)


def _that_fit(report: Report, variants: Sequence[Run], shown: Sequence[Column], width: int) -> list[Column]:
    """Return the columns that a terminal has room for, those that matter most first, in their order."""
    chosen: list[Column] = []
    for place in (Place.ALWAYS, Place.OFTEN, Place.WIDE):
        for column in shown:
            if column.place is place:
                more = [one for one in shown if one in chosen or one is column]
                if _width_of(_table(report, variants, more)) <= width:
                    chosen = more
    return chosen


def _width_of(table: Table) -> int:
    """Return how many columns of characters a table takes if nothing is cut."""
    console = Console(width=_WIDER_THAN_ANY)
    return Measurement.get(console, console.options, table).maximum


def _table(report: Report, variants: Sequence[Run], chosen: Sequence[Column]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("variant", no_wrap=True)
    for column in chosen:
        table.add_column(column.title, justify="right", no_wrap=True)
    table.add_column("provenance", no_wrap=True)
    is_projected = any(run.projected_ms is not None for run in variants)
    if is_projected:
        table.add_column("projected\nms", justify="right", no_wrap=True)
    best = {column.key: best_cases(column, report) for column in chosen}
    names = row_names(report)
    for run in variants:
        table.add_row(
            Text(names[run.case]),
            *(_cell(run, column, best[column.key]) for column in chosen),
            _provenance(run),
            *([proxy_text.projected_text(run)] if is_projected else []),
        )
    return table


def _cell(run: Run, column: Column, best: set[tuple[str, str]]) -> Text:
    text = column.text(run)
    if column.value(run) is None:
        return Text(text, "dim")
    return Text(f"*{text}", "bold green") if run.case in best else Text(text)


def _provenance(run: Run) -> Text:
    if run.status == "completed":
        return Text(run.provenance)
    return Text(run.status, "bold red" if run.status == "failed" else "yellow")


def _remark_line(remark: Remark) -> Text:
    if remark.kind == "warning":
        who = f"{remark.who}: " if remark.who else ""
        return Text.assemble(("warning:", "yellow"), f" {who}{remark.sentence}")
    return Text.assemble((f"{remark.who}:", "bold"), f" {remark.sentence}")
