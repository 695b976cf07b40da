"""Latency against accuracy, or against size, with the Pareto front and the budget's limits. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import altair as alt

from bench.choose.candidates import Candidate, JudgedBy, judged_by
from bench.choose.pareto import front
from bench.render.html.drawing import (
    INK,
    MAIN_HEIGHT,
    Chart,
    Kinds,
    Row,
    Rows,
    Specification,
    Table,
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
from bench.render.text import noun_of, whose_figures
from bench.report.retention import MARGIN
from bench.report.schema import Report
from bench.units import mb, ms, written

_PICTURE_WIDTH = 420
_IN_A_ROW = 3
_MOST_ABOVE = 10


@dataclass(frozen=True)
class Vertical:
    """The quantity that latency is drawn against."""

    key: str
    """Its field in the rows."""
    name: str
    """Its name."""
    title: str
    """The title of its axis; `{whose}` stands for what the answers are compared with."""
    front: str
    """The quantities of the Pareto front."""
    better: str
    """Where the better values are."""
    sign: int
    """1 if a larger value is better, else -1."""

    has_interval: bool = False
    """Whether a row's value has a 95 % interval."""

    @property
    def is_size(self) -> bool:
        """Whether it is the size, because rows have no share to be drawn."""
        return self.key == "size_mb"


_ACCURACY = Vertical(
    key="retention",
    name="accuracy",
    title="accuracy ÷ {whose}, 95 % interval",
    front="memory, size and accuracy",
    better="up is more accurate",
    sign=1,
    has_interval=True,
)
SIZE = Vertical(
    key="size_mb",
    name="size",
    title="size, MB",
    front="memory and size",
    better="down is smaller",
    sign=-1,
)
_AGREEMENT = Vertical(
    key="agreement",
    name="agreement",
    title="share of answers with the source's class",
    front="memory, size and agreement",
    better="up agrees more with the source",
    sign=1,
)
_VERTICALS: Mapping[JudgedBy, Vertical] = {
    "accuracy": _ACCURACY,
    "agreement": _AGREEMENT,
    "SQNR": replace(SIZE, front="memory, size and SQNR"),
    "nothing": SIZE,
}


@dataclass(frozen=True)
class MainRows(Rows):
    """The main chart's data: also the front's corners, projected ranges, and the budget's limits."""

    vertical: Vertical = _ACCURACY
    title: str = ""
    """The title of the vertical axis."""
    corners: tuple[Row, ...] = ()
    projected: tuple[Row, ...] = ()
    latency_limit: float | None = None
    limit: float | None = None
    """The budget's limit of the vertical quantity."""


def main_chart(report: Report, kinds: Kinds) -> Chart | None:
    """Return the chart for the page; None if no row has both quantities.

    Latency is drawn against accuracy, and against size for model files, which have no accuracy.
    """
    main = _main(report)
    if not main.points:
        return None
    chart = _drawn(main, kinds).properties(height=MAIN_HEIGHT, title=title_of(report))
    return Chart("main", f"Latency against {main.vertical.name}", main.caption, finished(chart), *main.table)


def main_picture(reports: Sequence[Report]) -> Specification | None:
    """Return the charts of all reports as one picture; None if no row has both."""
    kinds = kinds_of(reports)
    charts = [
        _drawn(main, kinds).properties(height=MAIN_HEIGHT, width=_PICTURE_WIDTH, title=title_of(report))
        for report, main in ((report, _main(report)) for report in reports)
        if main.points
    ]
    if not charts:
        return None
    specification: Specification = alt.concat(*charts, columns=_IN_A_ROW).to_dict()
    specification["config"] = theme("white")
    return specification


def _main(report: Report) -> MainRows:
    judged = judged_by([report])
    vertical = _VERTICALS[judged]
    candidates = [Candidate(run.case, report, run, judged) for run in completed(report)]
    # As in choosing: where there are ranges for the device, this machine's latencies are not ranked.
    projected = [candidate for candidate in candidates if candidate.is_projected]
    best = {candidate.name for candidate in front(projected or candidates)}
    points: list[Row] = []
    ranges: list[Row] = []
    for candidate in candidates:
        value = _vertical_of(candidate, vertical)
        if value is None:
            continue
        shared: Row = {**named(candidate.run), vertical.key: value}
        points.append({**shared, **_details(candidate, vertical), "front": candidate.name in best})
        if (projection := candidate.run.projected) is not None:
            bounds = {"low_ms": ms(projection.low_ns), "high_ms": ms(projection.high_ns)}
            ranges.append({**shared, "provenance": "projected", **bounds})
    # A proxy's own latency is not compared with the device's limit.
    has_limit = bool(ranges) or any(run.provenance == "measured" for run in completed(report))
    budget = report.profile.budget
    return MainRows(
        points=tuple(points),
        table=_table(report, points, vertical),
        caption=_caption(report, points, ranges, len(candidates), vertical),
        vertical=vertical,
        title=vertical.title.format(whose=whose_figures([report])),
        corners=corners_of(points, vertical),
        projected=tuple(ranges),
        latency_limit=budget.p95_ms if has_limit else None,
        limit=_limit_of(report, points, vertical),
    )


def _limit_of(report: Report, points: Sequence[Row], vertical: Vertical) -> float | None:
    """Return the budget's limit. A limit of size that is far above all files would squeeze them together."""
    budget = report.profile.budget
    if vertical is _ACCURACY:
        return budget.retention
    if not vertical.is_size or budget.size_mb is None:
        return None
    largest = max((row["size_mb"] for row in points), default=0.0)
    return budget.size_mb if largest > budget.size_mb / _MOST_ABOVE else None


def _vertical_of(candidate: Candidate, vertical: Vertical) -> float | None:
    """Return a row's value of the vertical quantity; None where it has none."""
    run = candidate.run
    if vertical.is_size:
        return None if run.size_bytes is None else mb(run.size_bytes)
    if vertical is _AGREEMENT:
        return None if run.accuracy is None else run.accuracy.agreement
    retention = None if run.accuracy is None else run.accuracy.retention
    return None if retention is None else retention.value


def _details(candidate: Candidate, vertical: Vertical) -> Row:
    """Return a row's percentiles, and the interval of its accuracy."""
    p95_ns, accuracy = candidate.latency.p95_ns, candidate.run.accuracy
    times: Row = {"p50": ms(candidate.latency.p50_ns), "p95": None if p95_ns is None else ms(p95_ns)}
    if vertical is not _ACCURACY or accuracy is None or accuracy.retention is None:
        return times
    low, high = accuracy.retention.ci95 or (None, None)
    return {**times, "low": low, "high": high, "top1": accuracy.top1}


def _table(report: Report, points: Sequence[Row], vertical: Vertical) -> Table:
    values = {"retention": share("retention"), "95 %": ends("low", "high")}
    if vertical is _AGREEMENT:
        values = {"agreement": share("agreement")}
    columns = {
        "p50 ms": milliseconds("p50"),
        "p95 ms": milliseconds("p95"),
        **({"size MB": lambda row: written(row["size_mb"], 2)} if vertical.is_size else values),
        "on the front": lambda row: "yes" if row["front"] else "no",
        "provenance": word("provenance"),
    }
    return table_of(noun_of(report), points, columns)


def corners_of(points: Sequence[Row], vertical: Vertical) -> tuple[Row, ...]:
    """Return the corners of the front of the two drawn quantities, the fastest first."""
    key, sign = vertical.key, vertical.sign
    corners: list[Row] = []
    for row in sorted(points, key=lambda row: (row["p50"], -sign * row[key])):
        if not corners or sign * row[key] > sign * corners[-1][key]:
            corners.append({key: row[key], "row": row["row"], "p50": row["p50"], "order": len(corners)})
    return tuple(corners)


def _caption(
    report: Report, points: Sequence[Row], ranges: Sequence[Row], rows: int, vertical: Vertical
) -> str:
    """Return the caption, which describes only what is drawn."""
    sentences = [f"Each point is a {noun_of(report)}: left is faster, {vertical.better}."]
    if points and not report.has_groups:
        fastest = min(points, key=lambda row: float(row["p50"]))
        sentences.append(
            f"The fastest is {fastest['row']}, p50 {fastest['p50']:.3g} ms ({fastest['provenance']})."
        )
    latency = "the middle of the projected range" if ranges else "p50"
    sentences.append(f"Filled points are on the Pareto front of {latency}, {vertical.front}.")
    if len(corners_of(points, vertical)) > 1:
        sentences.append(f"The dotted line is the front of p50 and {vertical.name} alone.")
    if report.profile.budget.p95_ms is not None or _limit_of(report, points, vertical) is not None:
        sentences.append("Dashed lines are the budget's limits.")
    if ranges:
        device = report.profile.name
        sentences.append(
            f"Bars between diamonds are ranges that are projected for {device}, not measurements."
        )
    if all(row["provenance"] == "proxy" for row in points):
        sentences.append(f"Triangles are latencies of the proxy, not of {report.profile.name}.")
    if len(points) < rows:
        sentences.append(f"{rows - len(points)} rows without a {vertical.key} are left out.")
    if report.evaluation is None:
        sentences.append("The files were measured without labels, so there is no accuracy.")
    elif report.evaluation.gap is not None:
        sentences.append(f"There is no accuracy: {report.evaluation.gap}.")
    return " ".join(sentences)


def _drawn(main: MainRows, kinds: Kinds) -> alt.LayerChart | alt.FacetChart:
    return layers(main, colour_by_format(kinds), shape_by_provenance(kinds))


def layers(main: MainRows, colour: alt.Color, shape: alt.Shape) -> alt.LayerChart | alt.FacetChart:
    """Draw the rows, their intervals, the front and the limits."""
    times = [row[key] for row in main.points for key in ("p50", "p95") if row[key] is not None]
    times += [row[key] for row in main.projected for key in ("low_ms", "high_ms")]
    times += [] if main.latency_limit is None else [main.latency_limit]
    has_p95 = any(row["p95"] is not None for row in main.points)
    title = "latency, ms (p50; line to p95)" if has_p95 else "latency, ms (p50)"
    x = alt.X("p50:Q", title=title, scale=spread_scale(times))
    y = _y(main)
    return alt.layer(
        *_reaches(main, x, y, colour),
        *_limits(main),
        *_points(main, x, y, colour, shape),
        *_ranges(main, y, colour, shape),
    )


def _y(main: MainRows) -> alt.Y:
    vertical = main.vertical
    values = [row[vertical.key] for row in main.points]
    values += [] if main.limit is None else [main.limit]
    scale = spread_scale(values) if vertical.is_size else alt.Scale(zero=False)
    return alt.Y(f"{vertical.key}:Q", title=main.title, scale=scale)


def _reaches(main: MainRows, x: alt.X, y: alt.Y, colour: alt.Color) -> list[alt.Chart]:
    """Draw the intervals, the lines from p50 to p95, and the front."""
    base = alt.Chart(data(main.points))
    drawn: list[alt.Chart] = []
    if main.vertical.has_interval:
        drawn.append(base.mark_rule(opacity=0.3).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour))
    with_p95 = [row for row in main.points if row["p95"] is not None]
    if with_p95:
        rules = alt.Chart(data(with_p95)).mark_rule(opacity=0.5)
        drawn.append(rules.encode(x=x, x2="p95:Q", y=y, color=colour))
    if len(main.corners) > 1:
        line = alt.Chart(data(main.corners)).mark_line(
            interpolate="step-after", color=INK, opacity=0.6, strokeDash=[2, 2]
        )
        drawn.append(line.encode(x=x, y=y, order="order:O"))
    return drawn


def _limits(main: MainRows) -> list[alt.Chart]:
    drawn: list[alt.Chart] = []
    if main.latency_limit is not None:
        what = "limit of projected latency" if main.projected else "p95 limit"
        drawn += limit("x", main.latency_limit, f"{what} {main.latency_limit:g} ms")
    if main.limit is not None:
        words = f"retention limit {main.limit:g} (margin {MARGIN:g})"
        words = f"size limit {main.limit:g} MB" if main.vertical.is_size else words
        drawn += limit("y", main.limit, words)
    return drawn


def _points(main: MainRows, x: alt.X, y: alt.Y, colour: alt.Color, shape: alt.Shape) -> list[alt.Chart]:
    """Draw the rows, and name those on the front of the two."""
    drawn: list[alt.Chart] = []
    for is_front in (False, True):
        chosen = [row for row in main.points if row["front"] is is_front]
        if chosen:
            marks = alt.Chart(data(chosen)).mark_point(size=90, filled=is_front, opacity=1, strokeWidth=2)
            drawn.append(
                marks.encode(
                    x=x,
                    y=y,
                    color=colour,
                    shape=shape,
                    tooltip=tooltip(main.points),
                )
            )
    words = alt.Chart(data(main.corners)).mark_text(align="left", dx=9, dy=-9, color=INK, fontSize=11)
    return [*drawn, words.encode(x=x, y=y, text="row:N")]


def _ranges(main: MainRows, y: alt.Y, colour: alt.Color, shape: alt.Shape) -> list[alt.Chart]:
    """Draw a projected range as a bar between diamonds."""
    if not main.projected:
        return []
    base = alt.Chart(data(main.projected)).encode(y=y, color=colour)
    ends = base.mark_point(filled=True, size=60, opacity=1).encode(
        shape=shape, tooltip=tooltip(main.projected)
    )
    return [
        base.mark_rule(strokeWidth=3, opacity=0.6).encode(x="low_ms:Q", x2="high_ms:Q"),
        ends.encode(x="low_ms:Q"),
        ends.encode(x="high_ms:Q"),
    ]
