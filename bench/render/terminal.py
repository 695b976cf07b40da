"""A report as a table for the terminal: its conditions, one row per variant, warnings and reasons.

Pure: a report and a width in, something rich can print out.
"""

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bench.decide.speed_up import speed_ups
from bench.render.columns import Column, best_variants, columns
from bench.reports.records import Report, Run

_WIDTH_FOR_ALL = 136


def report_view(report: Report, width: int) -> RenderableType:
    """Return everything there is to see of a report on a terminal of `width` columns."""
    chosen = [one for one in columns(speed_ups(report.runs)) if width >= _WIDTH_FOR_ALL or one.essential]
    parts: list[RenderableType] = [Text(line) for line in conditions(report)]
    parts.append(_table(report, chosen))
    parts.append(
        Text("* best in its column · accuracy, AUC and retention: on the file that was timed", "dim")
    )
    if width < _WIDTH_FOR_ALL:
        parts.append(Text(f"more columns at a width of {_WIDTH_FOR_ALL}, all of them with --csv", "dim"))
    parts += [Text.from_markup(line) for line in _remarks(report)]
    return Group(*parts)


def conditions(report: Report) -> list[str]:
    """Return the sentences without which no number of this report means anything."""
    host, bundle, images = report.host, report.bundle, len(report.evaluation.labels)
    threads = sorted({run.threads for run in report.runs})
    samples = sorted({run.latency_ms.samples for run in report.runs if run.latency_ms is not None})
    what = (
        f"{bundle.name}: {bundle.model} at {bundle.image_size}×{bundle.image_size}, "
        f"weights {bundle.weights}, data {bundle.data}"
    )
    where = (
        f"profile {report.profile.name} on {host.board or host.cpu}, {host.physical_cores} cores, {host.os}; "
        f"{_listed(threads)} threads, batch 1"
    )
    how = (
        f"{_listed(samples)} samples a variant, taking turns, one process each: no interval of the median; "
        "load and first inference once, files in the cache; "
        f"accuracy on {images} of {report.evaluation.pack_images} evaluation images"
        + (" (--quick)" if report.quick else "")
    )
    return [what, where, how]


def _listed(numbers: list[int]) -> str:
    if len(numbers) > 2:
        return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(str(number) for number in numbers) or "no"


def _table(report: Report, chosen: list[Column]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("variant", no_wrap=True)
    for column in chosen:
        table.add_column(column.title, justify="right", no_wrap=True)
    table.add_column("standing", no_wrap=True)
    best = {column.key: best_variants(column, report) for column in chosen}
    for run in report.runs:
        table.add_row(
            Text(run.variant), *(_cell(run, column, best[column.key]) for column in chosen), _standing(run)
        )
    return table


def _cell(run: Run, column: Column, best: set[str]) -> Text:
    value = column.value(run)
    if value is None:
        return Text("–", "dim")
    text = f"{value:.{column.digits}f}{column.suffix}"
    return Text(f"*{text}", "bold green") if run.variant in best else Text(text)


def _standing(run: Run) -> Text:
    if run.status == "completed":
        return Text(run.standing)
    return Text(run.status, "bold red" if run.status == "failed" else "yellow")


def _remarks(report: Report) -> list[str]:
    not_completed = [
        f"[bold]{escape(run.variant)} {run.status}:[/bold] {escape(run.reason or '')}"
        for run in report.runs
        if run.status != "completed"
    ]
    doubtful = [
        f"[yellow]warning:[/yellow] {escape(run.variant)}: {escape(sentence)}"
        for run in report.runs
        for sentence in run.warnings
    ]
    general = [f"[yellow]warning:[/yellow] {escape(sentence)}" for sentence in report.warnings]
    return not_completed + doubtful + general
