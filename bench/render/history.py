"""Reports of one name over time, for the terminal. Pure: reports in, something rich can print out."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.errors import InputError
from bench.render.sentences import row_names
from bench.render.sparkline import sparkline
from bench.reports.records import Report, Run
from bench.statistics.replication import Interval

_BYTES_PER_MB = 1e6
_SPARKLINE_WIDTH = 24
_TITLES = ("p50\nms", "±\n%", "per\nyard", "peak\nMiB", "size\nMB", "reten-\ntion")


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
                device = f"{report.profile.name} on {report.host.board or report.host.cpu}"
                rows.setdefault((names[run.case], device, run.standing), []).append((report, run))
    parts: list[RenderableType] = [Text(f"{reports[0].name}: {len(reports)} reports", "bold")]
    for (name, device, standing), found in rows.items():
        levels = [run.latency_ms.p50 for _, run in found if run.latency_ms is not None]
        drawn = f"  p50 {sparkline(levels, _SPARKLINE_WIDTH)}" if len(levels) > 1 else ""
        parts += [Text(f"\n{name}, {device}, {standing}{drawn}"), _table(found)]
    parts.append(
        Text(
            "± half of the 95 % interval of the median · per yard: latency ÷ the yardstick's, for other days "
            "and machines",
            "dim",
        )
    )
    return Group(*parts)


def _table(found: Sequence[tuple[Report, Run]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("measured at", no_wrap=True)
    table.add_column("bundle", no_wrap=True)
    table.add_column("run", no_wrap=True)
    for title in _TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    for report, run in found:
        how = f"{'quick' if report.quick else 'full'}, {run.threads} thr."
        table.add_row(report.created, report.bundle.sha256[:8], how, *_cells(run))
    return table


def _cells(run: Run) -> list[str]:
    if run.latency_ms is None:
        return [run.status, *["–"] * (len(_TITLES) - 1)]
    interval = run.latency_ms.p50_ci95
    half = None if interval is None else 100 * Interval(*interval).half_width
    kept = None if run.accuracy is None else run.accuracy.retention
    return [
        f"{run.latency_ms.p50:.2f}",
        _written(half, 1),
        _written(run.per_yardstick, 2),
        _written(None if run.memory_mb is None else run.memory_mb.peak, 0),
        _written(None if run.size_bytes is None else run.size_bytes / _BYTES_PER_MB, 2),
        _written(None if kept is None else kept.value, 3),
    ]


def _written(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
