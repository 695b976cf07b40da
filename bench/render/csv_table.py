"""Reports as CSV: one line per row of each report, every column, raw numbers. Pure: it writes no file."""

import csv
import io
from collections.abc import Iterable

from bench.render.columns import columns
from bench.render.proxy_text import figure_of
from bench.report.schema import Report

_LEADING = ("report", "created", "profile", "host", "variant", "runtime", "provider", "threads")

_TRAILING = (
    *("processes", "samples", "unsupported", "images", "reason"),
    *("projected_from", "projection_reason", "nearest_published", "warnings"),
)


def was_csv(content: bytes) -> bool:
    """Tell whether a file's content begins as this table does."""
    return content.startswith(",".join(_LEADING).encode())


def to_csv(reports: Iterable[Report]) -> str:
    """Return the reports' rows as CSV with a header; an empty cell is a value that there is not."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [column.key for column in columns()]
    writer.writerow([*_LEADING, "status", "provenance", *names, *_TRAILING])
    for report in reports:
        numeric = columns()
        for run in report.runs:
            writer.writerow(
                [
                    *(report.name, report.created, report.profile.name, report.host.board or report.host.cpu),
                    *(run.variant, run.runtime, run.provider, run.threads, run.status, run.provenance),
                    *(column.value(run) for column in numeric),
                    run.latency_ms.processes if run.latency_ms else None,
                    run.latency_ms.samples if run.latency_ms else None,
                    run.latency_ms.unsupported if run.latency_ms else None,
                    run.accuracy.images if run.accuracy else None,
                    run.reason,
                    run.projected_ms.basis if run.projected_ms else None,
                    run.projection_reason,
                    figure_of(run.nearest_published) if run.nearest_published else None,
                    " | ".join(run.warnings),
                ]
            )
    return out.getvalue()
