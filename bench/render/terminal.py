"""A report as a table for the terminal: its conditions, one row per variant, warnings and reasons.

Pure: a report and a width in, something rich can print out.
"""

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from bench.render import stand_in
from bench.render.columns import Column, Place, best_cases, columns
from bench.render.merged import merge
from bench.render.sparkline import sparkline
from bench.render.stand_in import Names
from bench.reports.records import Report, Run
from bench.runtimes.providers import short_name

_WIDER_THAN_ANY = 10_000
_SPARKLINE_WIDTH = 30


def report_view(report: Report, width: int) -> RenderableType:
    """Return everything there is to see of a report on a terminal of `width` columns."""
    variants = [run for run in report.runs if run.is_variant]
    told = [
        one
        for one in columns(_has_waves(variants))
        if one.place is not Place.FILE and any(one.value(run) is not None for run in variants)
    ]
    chosen = _that_fit(report, variants, told, width)
    parts: list[RenderableType] = [Text(line) for line in conditions(report)]
    parts += [Text(line, "yellow") for line in stand_in.terms(report)]
    parts.append(_table(report, variants, chosen))
    parts.append(
        Text("* best in its column · accuracy, AUC and retention: on the file that was timed", "dim")
    )
    parts += [Text(line, "dim") for line in _beside(report)]
    if len(chosen) < len(told):
        needed = _width_of(_table(report, variants, told))
        parts.append(Text(f"more columns at a width of {needed}, all of them with --csv", "dim"))
    names = _names(variants)
    parts += [Text(line) for line in _sustained(report, names)]
    parts += [Text(line) for line in stand_in.projections(report, names)]
    parts += [Text.from_markup(line) for line in _remarks(report, names)]
    return Group(*parts)


def _has_waves(variants: Sequence[Run]) -> bool:
    """Tell whether not all variants took turns with each other."""
    return any(run.raw is not None and run.raw.waves > 1 for run in variants)


def conditions(report: Report) -> list[str]:
    """Return the sentences without which no number of this report means anything."""
    host, bundle, images = report.host, report.bundle, len(report.evaluation.labels)
    threads = sorted({run.threads for run in report.runs})
    what = (
        f"{bundle.name}: {bundle.model} at {bundle.image_size}×{bundle.image_size}, "
        f"weights {bundle.weights}, data {bundle.data}"
    )
    gpus = f", {', '.join(host.accelerators)}" if host.accelerators else ""
    where = (
        f"profile {report.profile.name} on {host.board or host.cpu}, {host.physical_cores} cores{gpus}, "
        f"{host.os}; {_listed(threads)} threads, batch 1"
    )
    quick = " (--quick)" if report.quick else ""
    kept = sum(run.answers_from is not None for run in report.runs)
    how = (
        f"{_sampling(report)}; "
        f"accuracy on {images} of {report.evaluation.pack_images} evaluation images{quick}"
        + (f", of {kept} variants kept from an earlier run on this machine" if kept else "")
    )
    return [what, where, how]


def _sampling(report: Report) -> str:
    timed = [run for run in report.runs if run.is_variant and run.latency_ms is not None]
    samples = sorted({run.latency_ms.samples for run in timed if run.latency_ms})
    processes = sorted({run.latency_ms.processes for run in timed if run.latency_ms})
    caches = sorted({run.file_cache for run in timed if run.file_cache})
    interval = any(run.latency_ms and run.latency_ms.p50_ci95 for run in timed)
    return (
        f"{_listed(samples)} samples a variant, taking turns, in {_listed(processes)} fresh processes each: "
        + ("±: 95 % interval of the median over processes" if interval else "no interval of the median")
        + f"; load and first inference: their median, file cache {' or '.join(caches) or 'not told'}"
    )


def _listed(numbers: list[int]) -> str:
    if len(numbers) > 2:
        return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(str(number) for number in numbers) or "no"


def _that_fit(report: Report, variants: Sequence[Run], told: Sequence[Column], width: int) -> list[Column]:
    """Return the columns that a terminal has room for, those that matter most first, in their order."""
    chosen: list[Column] = []
    for place in (Place.ALWAYS, Place.OFTEN, Place.WIDE):
        for column in told:
            if column.place is place:
                more = [one for one in told if one in chosen or one is column]
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
    table.add_column("standing", no_wrap=True)
    is_projected = any(run.projected_ms is not None for run in variants)
    if is_projected:
        table.add_column("projected\nms", justify="right", no_wrap=True)
    best = {column.key: best_cases(column, report) for column in chosen}
    names = _names(variants)
    for run in variants:
        table.add_row(
            Text(names[run.case]),
            *(_cell(run, column, best[column.key]) for column in chosen),
            _standing(run),
            *([stand_in.projected_text(run)] if is_projected else []),
        )
    return table


def _names(variants: Sequence[Run]) -> dict[tuple[str, str], str]:
    """Return what each row is called: its variant, with its provider if the variant has several."""
    counts = Counter(run.variant for run in variants)
    return {
        run.case: f"{run.variant} {short_name(run.provider)}" if counts[run.variant] > 1 else run.variant
        for run in variants
    }


def _cell(run: Run, column: Column, best: set[tuple[str, str]]) -> Text:
    value = column.value(run)
    if value is None:
        return Text("–", "dim")
    text = f"{value * column.factor:.{column.digits}f}{column.suffix}"
    return Text(f"*{text}", "bold green") if run.case in best else Text(text)


def _standing(run: Run) -> Text:
    if run.status == "completed":
        return Text(run.standing)
    return Text(run.status, "bold red" if run.status == "failed" else "yellow")


def _beside(report: Report) -> list[str]:
    """Say what the harness itself costs, and how fast the machine was."""
    said = []
    for run in report.runs:
        if run.is_variant or run.latency_ms is None or run.memory_mb is None:
            continue
        memory = f"{run.memory_mb.peak or run.memory_mb.loaded:.0f} MiB"
        time = (
            f"{run.latency_ms.p50 * 1000:.1f} µs"
            if run.latency_ms.p50 < 0.1
            else f"{run.latency_ms.p50:.2f} ms"
        )
        said.append(f"{run.variant} ({run.runtime}): {time}, {memory}, {run.standing}")
    return [" · ".join(said)] if said else []


def _sustained(report: Report, names: Names) -> list[str]:
    lines = []
    for run in report.runs:
        if (found := run.sustained) is None:
            continue
        after = found.settled_after_s
        settles = (
            "does not settle"
            if after is None
            else f"settles at {found.settled_ms:.2f} ms after {after:.0f} s"
        )
        drawn = sparkline([point.p50_ms for point in found.points], _SPARKLINE_WIDTH)
        lines.append(
            f"sustained {found.seconds:.0f} s  {names[run.case]:<16} {drawn}  "
            f"{found.points[0].p50_ms:.2f} ms at first, {settles}, drift {found.drift:+.0%}, {run.standing}"
        )
    return lines


def _remarks(report: Report, names: Names) -> list[str]:
    not_completed = [
        f"[bold]{escape(called)}:[/bold] {escape(reason)}"
        for reason, called in stand_in.grouped(
            (run.reason or "", f"{names.get(run.case, run.variant)} {run.status}")
            for run in report.runs
            if run.status != "completed"
        )
    ]
    completed = [run for run in report.runs if run.status == "completed"]
    of_all = Counter(sentence for run in completed for sentence in set(run.warnings))
    shared = [sentence for sentence, count in of_all.items() if count == len(completed) > 1]
    general = list(dict.fromkeys([*report.warnings, *shared]))
    own = merge(
        (names.get(run.case, run.variant), sentence)
        for run in completed
        for sentence in run.warnings
        if sentence not in general
    )
    return [
        *not_completed,
        *(f"[yellow]warning:[/yellow] {escape(names)}: {escape(sentence)}" for names, sentence in own),
        *(f"[yellow]warning:[/yellow] {escape(sentence)}" for sentence in general),
    ]
