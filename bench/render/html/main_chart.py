"""Latency against accuracy, with the Pareto front and the budget's limits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from bench.choose.candidates import Candidate
from bench.choose.pareto import front
from bench.choose.violations import MARGIN
from bench.render.columns import has_groups
from bench.render.html.drawing import MAIN_HEIGHT, Chart, data, finished, kinds_of, limit, title_of, tooltip
from bench.render.html.row_text import Row, Rows, completed, ends, milliseconds, named, share, table_of, word
from bench.render.html.theme import (
    INK,
    Kinds,
    Specification,
    colour_by_format,
    shape_by_provenance,
    spread_scale,
    theme,
)
from bench.render.sentences import row_names
from bench.report.schema import Report

_PICTURE_WIDTH = 420
_IN_A_ROW = 3


@dataclass(frozen=True)
class _Main(Rows):
    """Also corners of the front of latency and accuracy, projected ranges, and the budget's limits."""

    corners: tuple[Row, ...] = ()
    projected: tuple[Row, ...] = ()
    latency_limit: float | None = None
    least_retention: float | None = None


def latency_and_accuracy(report: Report, kinds: Kinds) -> Chart | None:
    """Return the chart as it stands on the page; None if no row has both."""
    found = _main(report)
    if not found.points:
        return None
    chart = _layers(found, kinds).properties(height=MAIN_HEIGHT, title=title_of(report))
    return Chart("main", "Latency against accuracy", found.caption, finished(chart), *found.table)


def main_picture(reports: Sequence[Report]) -> Specification | None:
    """Return the chart of all reports side by side, as a picture of its own; None if no row has both."""
    kinds = kinds_of(reports)
    charts = [
        _layers(found, kinds).properties(height=MAIN_HEIGHT, width=_PICTURE_WIDTH, title=title_of(report))
        for report, found in ((one, _main(one)) for one in reports)
        if found.points
    ]
    if not charts:
        return None
    specification: Specification = alt.concat(*charts, columns=_IN_A_ROW).to_dict()
    specification["config"] = theme("white")
    return specification


def _main(report: Report) -> _Main:
    names = row_names(report)
    contenders = [Candidate(names[run.case], report, run) for run in completed(report)]
    # As in choosing: where there are ranges for the device, this machine's own milliseconds are not ranked.
    projected = [one for one in contenders if one.is_projected]
    best = {one.name for one in front(projected or contenders)}
    points: list[Row] = []
    ranges: list[Row] = []
    for one in contenders:
        accuracy = one.run.accuracy
        if accuracy is None or accuracy.retention is None:
            continue
        low, high = accuracy.retention.ci95 or (None, None)
        shared: Row = {**named(report, one.run), "retention": accuracy.retention.value}
        is_best = one.name in best
        times = {"p50": one.latency.p50, "p95": one.latency.p95}
        points.append({**shared, **times, "low": low, "high": high, "top1": accuracy.top1, "front": is_best})
        if (found := one.run.projected_ms) is not None:
            ranges.append({**shared, "provenance": "projected", "low_ms": found.low, "high_ms": found.high})
    # A proxy's own latency is not held against the device's limit.
    is_judged = bool(ranges) or any(run.provenance == "measured" for run in completed(report))
    columns = {
        "p50 ms": milliseconds("p50"),
        "p95 ms": milliseconds("p95"),
        "retention": share("retention"),
        "95 %": ends("low", "high"),
        "on the front": lambda row: "yes" if row["front"] else "no",
        "latency is": word("provenance"),
    }
    return _Main(
        points=tuple(points),
        table=table_of(points, columns),
        caption=_caption(report, points, ranges, len(contenders)),
        corners=_corners(points),
        projected=tuple(ranges),
        latency_limit=report.profile.budget.p95_ms if is_judged else None,
        least_retention=report.profile.budget.retention,
    )


def _corners(points: Sequence[Row]) -> tuple[Row, ...]:
    """Return the corners of the front of latency and accuracy alone, the fastest first."""
    corners: list[Row] = []
    for one in sorted(points, key=lambda row: (row["p50"], -row["retention"])):
        if not corners or one["retention"] > corners[-1]["retention"]:
            corners.append({key: one[key] for key in ("row", "p50", "retention")} | {"order": len(corners)})
    return tuple(corners)


def _caption(report: Report, points: Sequence[Row], ranges: Sequence[Row], rows: int) -> str:
    """Say what is drawn, and only that."""
    said = ["Each point is a variant: left is faster, up is more accurate."]
    if points and not has_groups(report):
        fastest = min(points, key=lambda one: float(one["p50"]))
        said.append(
            f"The fastest is {fastest['row']}, p50 {fastest['p50']:.3g} ms ({fastest['provenance']})."
        )
    of = "the middle of the projected range" if ranges else "p50"
    said.append(f"Filled points are on the Pareto front of {of}, memory, size and accuracy.")
    if len(_corners(points)) > 1:
        said.append("The dotted line is the front of p50 and accuracy alone.")
    budget = report.profile.budget
    if budget.p95_ms is not None or budget.retention is not None:
        said.append("Dashed lines are the budget's limits.")
    if ranges:
        device = report.profile.name
        said.append(f"Bars between diamonds are projected for {device}: ranges, not measurements.")
    if all(one["provenance"] == "proxy" for one in points):
        said.append(f"Triangles are this proxy's own speed, not {report.profile.name}'s.")
    if len(points) < rows:
        said.append(f"{rows - len(points)} rows without a retention are left out.")
    return " ".join(said)


def _layers(found: _Main, kinds: Kinds) -> alt.LayerChart | alt.FacetChart:
    times = [one[key] for one in found.points for key in ("p50", "p95") if one[key] is not None]
    times += [one[key] for one in found.projected for key in ("low_ms", "high_ms")]
    times += [] if found.latency_limit is None else [found.latency_limit]
    x = alt.X("p50:Q", title="latency, ms (p50; line to p95)", scale=spread_scale(times))
    y = alt.Y("retention:Q", title="accuracy ÷ fp32's, 95 % interval", scale=alt.Scale(zero=False))
    return alt.layer(
        *_reaches(found, x, y, kinds),
        *_limits(found),
        *_points(found, x, y, kinds),
        *_ranges(found, y, kinds),
    )


def _reaches(found: _Main, x: alt.X, y: alt.Y, kinds: Kinds) -> list[alt.Chart]:
    """Draw intervals, the way from p50 to p95, and the front."""
    colour = colour_by_format(kinds)
    base = alt.Chart(data(found.points))
    drawn = [base.mark_rule(opacity=0.3).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)]
    with_p95 = [one for one in found.points if one["p95"] is not None]
    if with_p95:
        rules = alt.Chart(data(with_p95)).mark_rule(opacity=0.5)
        drawn.append(rules.encode(x=x, x2="p95:Q", y=y, color=colour))
    if len(found.corners) > 1:
        line = alt.Chart(data(found.corners)).mark_line(
            interpolate="step-after", color=INK, opacity=0.6, strokeDash=[2, 2]
        )
        drawn.append(line.encode(x=x, y=y, order="order:O"))
    return drawn


def _limits(found: _Main) -> list[alt.Chart]:
    drawn: list[alt.Chart] = []
    if found.latency_limit is not None:
        what = "limit of ranges" if found.projected else "p95 limit"
        drawn += limit("x", found.latency_limit, f"{what} {found.latency_limit:g} ms")
    if found.least_retention is not None:
        least = f"least {found.least_retention:g}; the interval's end, less {MARGIN:g}"
        drawn += limit("y", found.least_retention, least)
    return drawn


def _points(found: _Main, x: alt.X, y: alt.Y, kinds: Kinds) -> list[alt.Chart]:
    """Draw the rows, and name those that no other is both faster and more accurate than."""
    drawn = []
    for is_front in (False, True):
        chosen = [one for one in found.points if one["front"] is is_front]
        if chosen:
            marks = alt.Chart(data(chosen)).mark_point(size=90, filled=is_front, opacity=1, strokeWidth=2)
            drawn.append(
                marks.encode(
                    x=x,
                    y=y,
                    color=colour_by_format(kinds),
                    shape=shape_by_provenance(kinds),
                    tooltip=tooltip(found.points),
                )
            )
    words = alt.Chart(data(found.corners)).mark_text(align="left", dx=9, dy=-9, color=INK, fontSize=11)
    return [*drawn, words.encode(x=x, y=y, text="row:N")]


def _ranges(found: _Main, y: alt.Y, kinds: Kinds) -> list[alt.Chart]:
    """Draw what is projected as a bar between diamonds."""
    if not found.projected:
        return []
    base = alt.Chart(data(found.projected)).encode(y=y, color=colour_by_format(kinds))
    ends = base.mark_point(filled=True, size=60, opacity=1).encode(
        shape=shape_by_provenance(kinds), tooltip=tooltip(found.projected)
    )
    return [
        base.mark_rule(strokeWidth=3, opacity=0.6).encode(x="low_ms:Q", x2="high_ms:Q"),
        ends.encode(x="low_ms:Q"),
        ends.encode(x="high_ms:Q"),
    ]
