"""Latency against accuracy, with the Pareto front and the budget's limits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from bench.choose.candidates import Candidate
from bench.choose.pareto import front
from bench.render.html.drawing import (
    INK,
    MAIN_HEIGHT,
    Chart,
    Kinds,
    Row,
    Rows,
    Specification,
    colour_by_format,
    completed,
    data,
    ends,
    finished,
    kinds_of,
    limit,
    milliseconds,
    named,
    shape_by_provenance,
    share,
    spread_scale,
    table_of,
    theme,
    title_of,
    tooltip,
    word,
)
from bench.report.retention import MARGIN
from bench.report.schema import Report
from bench.units import ms

_PICTURE_WIDTH = 420
_IN_A_ROW = 3


@dataclass(frozen=True)
class _MainRows(Rows):
    """The main chart's data: also the front's corners, projected ranges, and the budget's limits."""

    corners: tuple[Row, ...] = ()
    projected: tuple[Row, ...] = ()
    latency_limit: float | None = None
    least_retention: float | None = None


def latency_and_accuracy(report: Report, kinds: Kinds) -> Chart | None:
    """Return the chart for the page; None if no row has both a latency and an accuracy."""
    main = _main(report)
    if not main.points:
        return None
    chart = _layers(main, kinds).properties(height=MAIN_HEIGHT, title=title_of(report))
    return Chart("main", "Latency against accuracy", main.caption, finished(chart), *main.table)


def main_picture(reports: Sequence[Report]) -> Specification | None:
    """Return the charts of all reports as one picture; None if no row has both."""
    kinds = kinds_of(reports)
    charts = [
        _layers(main, kinds).properties(height=MAIN_HEIGHT, width=_PICTURE_WIDTH, title=title_of(report))
        for report, main in ((report, _main(report)) for report in reports)
        if main.points
    ]
    if not charts:
        return None
    specification: Specification = alt.concat(*charts, columns=_IN_A_ROW).to_dict()
    specification["config"] = theme("white")
    return specification


def _main(report: Report) -> _MainRows:
    candidates = [Candidate(run.case, report, run) for run in completed(report)]
    # As in choosing: where there are ranges for the device, this machine's latencies are not ranked.
    projected = [candidate for candidate in candidates if candidate.is_projected]
    best = {candidate.name for candidate in front(projected or candidates)}
    points: list[Row] = []
    ranges: list[Row] = []
    for candidate in candidates:
        accuracy = candidate.run.accuracy
        if accuracy is None or accuracy.retention is None:
            continue
        low, high = accuracy.retention.ci95 or (None, None)
        shared: Row = {**named(candidate.run), "retention": accuracy.retention.value}
        is_best = candidate.name in best
        p95_ns = candidate.latency.p95_ns
        times = {"p50": ms(candidate.latency.p50_ns), "p95": None if p95_ns is None else ms(p95_ns)}
        points.append({**shared, **times, "low": low, "high": high, "top1": accuracy.top1, "front": is_best})
        if (projection := candidate.run.projected) is not None:
            bounds = {"low_ms": ms(projection.low_ns), "high_ms": ms(projection.high_ns)}
            ranges.append({**shared, "provenance": "projected", **bounds})
    # A proxy's own latency is not compared with the device's limit.
    has_limit = bool(ranges) or any(run.provenance == "measured" for run in completed(report))
    columns = {
        "p50 ms": milliseconds("p50"),
        "p95 ms": milliseconds("p95"),
        "retention": share("retention"),
        "95 %": ends("low", "high"),
        "on the front": lambda row: "yes" if row["front"] else "no",
        "provenance": word("provenance"),
    }
    return _MainRows(
        points=tuple(points),
        table=table_of(points, columns),
        caption=_caption(report, points, ranges, len(candidates)),
        corners=_corners(points),
        projected=tuple(ranges),
        latency_limit=report.profile.budget.p95_ms if has_limit else None,
        least_retention=report.profile.budget.retention,
    )


def _corners(points: Sequence[Row]) -> tuple[Row, ...]:
    """Return the corners of the front of latency and accuracy, the fastest first."""
    corners: list[Row] = []
    for row in sorted(points, key=lambda row: (row["p50"], -row["retention"])):
        if not corners or row["retention"] > corners[-1]["retention"]:
            corners.append({key: row[key] for key in ("row", "p50", "retention")} | {"order": len(corners)})
    return tuple(corners)


def _caption(report: Report, points: Sequence[Row], ranges: Sequence[Row], rows: int) -> str:
    """Return the caption, which describes only what is drawn."""
    sentences = ["Each point is a variant: left is faster, up is more accurate."]
    if points and not report.has_groups:
        fastest = min(points, key=lambda row: float(row["p50"]))
        sentences.append(
            f"The fastest is {fastest['row']}, p50 {fastest['p50']:.3g} ms ({fastest['provenance']})."
        )
    latency = "the middle of the projected range" if ranges else "p50"
    sentences.append(f"Filled points are on the Pareto front of {latency}, memory, size and accuracy.")
    if len(_corners(points)) > 1:
        sentences.append("The dotted line is the front of p50 and accuracy alone.")
    budget = report.profile.budget
    if budget.p95_ms is not None or budget.retention is not None:
        sentences.append("Dashed lines are the budget's limits.")
    if ranges:
        device = report.profile.name
        sentences.append(
            f"Bars between diamonds are ranges that are projected for {device}, not measurements."
        )
    if all(row["provenance"] == "proxy" for row in points):
        sentences.append(f"Triangles are latencies of the proxy, not of {report.profile.name}.")
    if len(points) < rows:
        sentences.append(f"{rows - len(points)} rows without a retention are left out.")
    return " ".join(sentences)


def _layers(main: _MainRows, kinds: Kinds) -> alt.LayerChart | alt.FacetChart:
    times = [row[key] for row in main.points for key in ("p50", "p95") if row[key] is not None]
    times += [row[key] for row in main.projected for key in ("low_ms", "high_ms")]
    times += [] if main.latency_limit is None else [main.latency_limit]
    x = alt.X("p50:Q", title="latency, ms (p50; line to p95)", scale=spread_scale(times))
    y = alt.Y("retention:Q", title="accuracy ÷ fp32's, 95 % interval", scale=alt.Scale(zero=False))
    return alt.layer(
        *_reaches(main, x, y, kinds),
        *_limits(main),
        *_points(main, x, y, kinds),
        *_ranges(main, y, kinds),
    )


def _reaches(main: _MainRows, x: alt.X, y: alt.Y, kinds: Kinds) -> list[alt.Chart]:
    """Draw the intervals, the lines from p50 to p95, and the front."""
    colour = colour_by_format(kinds)
    base = alt.Chart(data(main.points))
    layers = [base.mark_rule(opacity=0.3).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)]
    with_p95 = [row for row in main.points if row["p95"] is not None]
    if with_p95:
        rules = alt.Chart(data(with_p95)).mark_rule(opacity=0.5)
        layers.append(rules.encode(x=x, x2="p95:Q", y=y, color=colour))
    if len(main.corners) > 1:
        line = alt.Chart(data(main.corners)).mark_line(
            interpolate="step-after", color=INK, opacity=0.6, strokeDash=[2, 2]
        )
        layers.append(line.encode(x=x, y=y, order="order:O"))
    return layers


def _limits(main: _MainRows) -> list[alt.Chart]:
    layers: list[alt.Chart] = []
    if main.latency_limit is not None:
        what = "limit of projected latency" if main.projected else "p95 limit"
        layers += limit("x", main.latency_limit, f"{what} {main.latency_limit:g} ms")
    if main.least_retention is not None:
        least = f"retention limit {main.least_retention:g} (margin {MARGIN:g})"
        layers += limit("y", main.least_retention, least)
    return layers


def _points(main: _MainRows, x: alt.X, y: alt.Y, kinds: Kinds) -> list[alt.Chart]:
    """Draw the rows, and name those on the front of latency and accuracy."""
    layers = []
    for is_front in (False, True):
        chosen = [row for row in main.points if row["front"] is is_front]
        if chosen:
            marks = alt.Chart(data(chosen)).mark_point(size=90, filled=is_front, opacity=1, strokeWidth=2)
            layers.append(
                marks.encode(
                    x=x,
                    y=y,
                    color=colour_by_format(kinds),
                    shape=shape_by_provenance(kinds),
                    tooltip=tooltip(main.points),
                )
            )
    words = alt.Chart(data(main.corners)).mark_text(align="left", dx=9, dy=-9, color=INK, fontSize=11)
    return [*layers, words.encode(x=x, y=y, text="row:N")]


def _ranges(main: _MainRows, y: alt.Y, kinds: Kinds) -> list[alt.Chart]:
    """Draw a projected range as a bar between diamonds."""
    if not main.projected:
        return []
    base = alt.Chart(data(main.projected)).encode(y=y, color=colour_by_format(kinds))
    ends = base.mark_point(filled=True, size=60, opacity=1).encode(
        shape=shape_by_provenance(kinds), tooltip=tooltip(main.projected)
    )
    return [
        base.mark_rule(strokeWidth=3, opacity=0.6).encode(x="low_ms:Q", x2="high_ms:Q"),
        ends.encode(x="low_ms:Q"),
        ends.encode(x="high_ms:Q"),
    ]
