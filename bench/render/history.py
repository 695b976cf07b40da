"""Reports of one name over time: which belong together, and as tables for the terminal. Pure."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.errors import InputError
from bench.render.columns import column_of
from bench.render.sentences import row_names
from bench.render.sparkline import sparkline
from bench.render.titles import device_of
from bench.report.schema import Report, Run

_SPARKLINE_WIDTH = 24
_COLUMNS = ("p50_ms", "p50_half_width", "relative_to_control", "peak_memory_mib", "size_mb", "retention")


def of_one_name(reports: Sequence[Report]) -> list[Report]:
    """Return the reports in the order of their time; raises InputError unless all bear one name."""
    names = sorted({one.name for one in reports})
    if len(names) > 1:
        raise InputError(
            f"--history draws reports of one name, and these bear {', '.join(names)}; "
            "give those of one (edgefit bench --name says it)"
        )
    return sorted(reports, key=lambda one: one.created)


def latest_of_each(reports: Sequence[Report]) -> list[Report]:
    """Return the latest report of each device: of a profile on a machine."""
    ordered = sorted(reports, key=lambda one: one.created)
    return list({(one.profile.name, one.host.cpu, one.host.board): one for one in ordered}.values())


def history_view(reports: Sequence[Report]) -> RenderableType:
    """Return a table for each variant on each device: one line a report, the earliest first."""
    rows: dict[tuple[str, str, str], list[tuple[Report, Run]]] = {}
    for report in of_one_name(reports):
        names = row_names(report)
        for run in report.runs:
            if run.is_variant:
                rows.setdefault((names[run.case], device_of(report), run.provenance), []).append(
                    (report, run)
                )
    parts: list[RenderableType] = [Text(f"{reports[0].name}: {len(reports)} reports", "bold")]
    for (name, device, provenance), found in rows.items():
        levels = [run.latency_ms.p50 for _, run in found if run.latency_ms is not None]
        drawn = f"  p50 {sparkline(levels, _SPARKLINE_WIDTH)}" if len(levels) > 1 else ""
        parts += [Text(f"\n{name}, {device}, {provenance}{drawn}"), _table(found)]
    parts.append(
        Text(
            "± half of the 95 % interval of the median · rel. to control: latency ÷ the control "
            "workload's, for other days and machines",
            "dim",
        )
    )
    return Group(*parts)


def _table(found: Sequence[tuple[Report, Run]]) -> Table:
    shown = [column_of(key) for key in _COLUMNS]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title in ("measured at", "bundle", "run"):
        table.add_column(title, no_wrap=True)
    for column in shown:
        table.add_column(column.title, justify="right", no_wrap=True)
    for report, run in found:
        how = f"{'quick' if report.quick else 'full'}, {run.threads} thr."
        how = how if run.status == "completed" else run.status
        cells = [column.text(run) for column in shown]
        table.add_row(report.created, report.bundle.sha256[:8], how, *cells)
    return table
